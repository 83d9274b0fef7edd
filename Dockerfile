# The image: one bundle on a distroless Node, nothing else. Build: docker build -t domainpilot .
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
# Node runs the build script's TypeScript as it is; esbuild's binary comes in its own package and needs no install script.
RUN node scripts/build.ts

FROM gcr.io/distroless/nodejs24-debian12:nonroot
LABEL org.opencontainers.image.title="domainpilot" \
      org.opencontainers.image.description="Keeps the domains, AutoSSL and certificates of ServerPilot apps in line with declared domain mappings" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production DOMAINPILOT_LISTEN=0.0.0.0:8080
# A small young generation keeps the peaks of large lists low.
ENV NODE_OPTIONS=--max-semi-space-size=2
WORKDIR /app
COPY --from=build /src/dist ./dist
COPY --from=build /src/package.json ./
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["run"]

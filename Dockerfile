# The image: one bundle on a distroless Node, nothing else. Build: docker build -t domainpilot .
#
# The same tree gives the same bundle, byte for byte: package-lock.json pins what goes in, and test/build.test.ts watches over it. The
# same image too, with dates from the commit, while the base images are the same:
#   SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) docker buildx build --output type=docker,rewrite-timestamp=true -t domainpilot .
#
# The base images are named by tag, not by digest: a rebuild then brings the newest fixes of Node and Debian without a change
# here. Who must know exactly what runs pins the digest of the built image where it is deployed, in manifests/ or the chart.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# esbuild's binary comes in its own package and needs no install script.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
# Node runs the build script's TypeScript as it is.
RUN node scripts/build.ts

FROM gcr.io/distroless/nodejs24-debian12:nonroot
LABEL org.opencontainers.image.title="domainpilot" \
      org.opencontainers.image.description="Keeps the domains, AutoSSL and certificates of ServerPilot apps in line with declared domain mappings" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production DOMAINPILOT_LISTEN=0.0.0.0:8080
# A small young generation keeps the peaks of large lists low; one arena of malloc gives back what the others would keep.
ENV NODE_OPTIONS=--max-semi-space-size=2 MALLOC_ARENA_MAX=1
WORKDIR /app
COPY --from=build /src/dist ./dist
COPY --from=build /src/package.json ./
USER 65532:65532
EXPOSE 8080
# The flag is not one that NODE_OPTIONS takes. It makes the garbage collector keep the heap small: docs/decisions/0017.
ENTRYPOINT ["/nodejs/bin/node", "--memory-saver-mode", "/app/dist/main.js"]
CMD ["run"]

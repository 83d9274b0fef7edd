/** A canonical host name: lower-case ASCII (punycode), no final dot, valid by every rule of `parseHost`. */
export type Host = string & { readonly __host: true }

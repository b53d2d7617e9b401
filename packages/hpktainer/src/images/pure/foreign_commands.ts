/** What Docker and Podman have under `image` and we do not, and what to do instead. */
export const FOREIGN_IMAGE_COMMANDS: Readonly<Record<string, string>> = {
  build: "build with buildah or podman, and run 'hpktainer image pull oci:DIRECTORY:TAG'",
  history: "run 'skopeo inspect --config docker://IMAGE'",
  import: "run 'hpktainer image pull docker-archive:FILE'",
  load: "run 'hpktainer image pull docker-archive:FILE'",
  mount: "read its files where 'hpktainer image inspect' says",
  push: "push with 'skopeo copy' from where it was built",
  save: "run 'skopeo copy docker://IMAGE docker-archive:FILE'",
  search: "see the registry's website",
  sign: "sign with 'skopeo copy --sign-by'",
  tag: "use its present name, or its id",
};

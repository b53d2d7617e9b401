/** What Docker and Podman have under `image` and we do not, and what to do instead. */
export const FOREIGN_IMAGE_COMMANDS: Readonly<Record<string, string>> = {
  build: "build by buildah or podman, and run 'hpktainer image pull oci:DIRECTORY:TAG'",
  history: "run 'skopeo inspect --config docker://IMAGE'",
  import: "run 'hpktainer image pull docker-archive:FILE'",
  load: "run 'hpktainer image pull docker-archive:FILE'",
  mount: "its files are where 'hpktainer image inspect' says, for reading only",
  push: "push by 'skopeo copy' from where it was built",
  save: "run 'skopeo copy docker://IMAGE docker-archive:FILE'",
  search: "look at the registry's own pages",
  sign: "sign by 'skopeo copy --sign-by'",
  tag: "use the name that it has, or its id",
};

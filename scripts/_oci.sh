# shellcheck shell=bash
# What OCI images and their containers take; sourced by setup, which provides `has`.

# Sets up skopeo, umoci, crun, conmon and catatonit, and a registry for the tests, as far as this system has packages of
# them: without, images are no less usable for Apptainer, and their tests are skipped aloud.
setup_oci() {
  local name missing=()
  for name in skopeo umoci crun conmon catatonit docker-registry; do
    if ! has "$name" && is_packaged "$name"; then missing+=("$name"); fi
  done
  install_packages "${missing[@]}"
  # Debian's package starts a registry for all to reach; the tests start their own.
  if [[ " ${missing[*]} " == *" docker-registry "* && -d /run/systemd/system ]]; then
    run_quietly as_root systemctl disable --now docker-registry
  fi
}

# Does the package manager have it? Debian and its kin have all of these.
is_packaged() { # PACKAGE
  [[ $(package_manager) == apt-get ]] || dnf -q list "$1" >/dev/null 2>&1
}

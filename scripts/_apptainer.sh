# shellcheck shell=bash disable=SC2154
# Installing Apptainer; sourced by setup, which provides $here and $work. The distribution's own
# package where there is one, else the project's package for that distribution.

readonly APPTAINER_RELEASE=1.4.5

setup_apptainer() {
  local distribution
  distribution=$(. /etc/os-release && echo "$ID")
  case $(package_manager):$distribution in
    dnf:amzn) install_packages "$(apptainer_release_rpm)" ;;
    dnf:fedora) install_packages apptainer ;;
    dnf:*)
      dnf -q list apptainer >/dev/null 2>&1 || install_packages epel-release
      install_packages apptainer
      ;;
    *)
      refresh_apt
      if has_apt_candidate apptainer; then
        install_packages apptainer
      elif [[ $distribution == ubuntu ]]; then
        install_packages software-properties-common
        run_quietly as_root add-apt-repository -y ppa:apptainer/ppa
        install_packages apptainer
      else
        install_apptainer_of_sid
      fi
      ;;
  esac
  apptainer version >/dev/null 2>&1 ||
    fail "apptainer was installed but does not start: run 'apptainer version' to see why"
}

apptainer_release_rpm() {
  echo "https://github.com/apptainer/apptainer/releases/download/v$APPTAINER_RELEASE/apptainer-$APPTAINER_RELEASE-1.$(uname -m).rpm"
}

has_apt_candidate() {
  apt-cache policy "$1" | grep -q '^  Candidate: [^(]'
}

# Debian 12 and 13 have no apptainer package, sid has. Its lists stay in $work: the host's own apt
# never sees sid, and every dependency comes from the host's release.
install_apptainer_of_sid() {
  local mirror sid=(
    apt-get -qq -o "Dir::Etc::sourcelist=$work/sid.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/apt"
    -o Acquire::Languages=none -o APT::Sandbox::User=root
  )
  # shellcheck disable=SC2016 # apt expands it
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
    head -n 1)
  [[ -n $mirror ]] || fail "no Debian mirror in apt's sources: install Apptainer by hand (apptainer.org)"
  mkdir -p "$work/lists/partial" "$work/apt/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" \
    >"$work/sid.list"
  run_quietly "${sid[@]}" update
  (cd "$work" && run_quietly "${sid[@]}" download apptainer)
  local package
  package=$(find "$work" -maxdepth 1 -name 'apptainer_*.deb')
  if [[ $(ldd --version | head -n 1) =~ \ 2\.([0-9]+)$ && ${BASH_REMATCH[1]} -lt 38 ]]; then
    rebuild_for_old_glibc "$package" "${BASH_REMATCH[1]}"
    package=$work/apptainer-local.deb
  fi
  install_packages "$package"
}

# The package's programs ask for glibc 2.38 only because of two renamed functions.
rebuild_for_old_glibc() { # PACKAGE MINOR
  local tree=$work/tree file files=()
  dpkg-deb -R "$1" "$tree"
  while IFS= read -r -d '' file; do
    if [[ $(od -An -c -N 4 "$file" | tr -d ' ') == '177ELF' ]] && grep -q GLIBC_2.38 "$file"; then
      files+=("$file")
    fi
  done < <(find "$tree" -type f -size +1k -print0)
  setup_deno
  run_quietly "$here/deno" run --no-check --allow-read --allow-write \
    "$here/retarget_glibc.ts" "${files[@]}"
  for file in "${files[@]}"; do
    ! ldd "$file" 2>&1 | grep -q 'version `GLIBC_.*not found' ||
      fail "this system's glibc is too old for Apptainer's ${file##*/}: install Apptainer by hand (apptainer.org)"
  done
  sed -i -E "s/^(Version: .*)\$/\\1+glibc2$2/; s/libc6 \\(>= 2\\.[0-9]+\\)/libc6 (>= 2.$2)/" \
    "$tree/DEBIAN/control"
  (cd "$tree" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z |
    xargs -0 md5sum >DEBIAN/md5sums)
  run_quietly dpkg-deb --root-owner-group -Zgzip -z1 -b "$tree" "$work/apptainer-local.deb"
}

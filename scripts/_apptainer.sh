# shellcheck shell=bash disable=SC2154
# Which package of Apptainer to install; sourced by setup, which provides $here, $work and `missing`.
# The distribution's own package where there is one, else the project's package for it.

readonly APPTAINER_RELEASE=1.4.5
readonly APPTAINER_DEB_SHA256=70f19af846501acfbc2e42e7cfeee9ee11ddbbfa1c3502d0d99cde34e8e0af05
readonly APPTAINER_HOST=github.com
readonly APPTAINER_DOWNLOADS=https://$APPTAINER_HOST/apptainer/apptainer/releases/download/v$APPTAINER_RELEASE

# Adds the package's name, its address or the path of its file to `missing`.
choose_apptainer() {
  local distribution
  distribution=$(. /etc/os-release && echo "$ID")
  case $(package_manager):$distribution in
    dnf:amzn) missing+=("$APPTAINER_DOWNLOADS/apptainer-$APPTAINER_RELEASE-1.$(uname -m).rpm") ;;
    dnf:fedora) missing+=(apptainer) ;;
    dnf:*)
      dnf -q list apptainer >/dev/null 2>&1 || install_packages epel-release
      missing+=(apptainer)
      ;;
    *)
      if is_packaged apptainer; then
        missing+=(apptainer)
      elif [[ $distribution == ubuntu ]]; then
        install_packages software-properties-common
        run_quietly as_root add-apt-repository -y ppa:apptainer/ppa
        missing+=(apptainer)
      else
        release_deb || deb_of_sid
        missing+=("$work/apptainer.deb")
      fi
      ;;
  esac
}

# The project's own package, which there is for x86_64 alone.
release_deb() {
  local address=$APPTAINER_DOWNLOADS/apptainer_${APPTAINER_RELEASE}_amd64.deb
  if [[ $(uname -m) != x86_64 ]] || ! answers "$APPTAINER_HOST"; then return 1; fi
  say "fetching Apptainer $APPTAINER_RELEASE from $APPTAINER_HOST"
  if ! download "$address" "$work/release.deb" >"$work/release.log" 2>&1; then
    say "$APPTAINER_HOST does not serve it: $(explain "$work/release.log")"
    return 1
  fi
  is_sha256 "$work/release.deb" "$APPTAINER_DEB_SHA256" ||
    fail "the package of Apptainer from $APPTAINER_HOST is not the pinned one (SHA-256 differs): nothing installed"
  mv -- "$work/release.deb" "$work/apptainer.deb"
}

# Debian 12 and 13 have no apptainer package, sid has. Its lists stay in $work: the host's own apt
# never sees sid, and every dependency comes from the host's release.
deb_of_sid() {
  local mirror sid=(
    apt-get -qq -o "Dir::Etc::sourcelist=$work/sid.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/apt"
    -o Acquire::Languages=none -o APT::Sandbox::User=root
  )
  # shellcheck disable=SC2016 # apt expands it
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
    sed -n 1p)
  [[ -n $mirror ]] || fail "no Debian mirror in apt's sources: install Apptainer by hand (apptainer.org)"
  say 'fetching Apptainer from Debian sid: this release has no package of it'
  mkdir -p "$work/lists/partial" "$work/apt/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" \
    >"$work/sid.list"
  run_quietly "${sid[@]}" update
  (cd "$work" && run_quietly "${sid[@]}" download apptainer)
  local package
  package=$(find "$work" -maxdepth 1 -name 'apptainer_*.deb')
  if [[ $(ldd --version | head -n 1) =~ \ 2\.([0-9]+)$ && ${BASH_REMATCH[1]} -lt 38 ]]; then
    rebuild_for_old_glibc "$package" "${BASH_REMATCH[1]}"
  else
    mv -- "$package" "$work/apptainer.deb"
  fi
}

# The package's programs ask for glibc 2.38 only because of two renamed functions.
rebuild_for_old_glibc() { # PACKAGE MINOR
  local tree=$work/tree file files=()
  say "making it run on this release's glibc, 2.$2"
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
  run_quietly dpkg-deb --root-owner-group -Znone -b "$tree" "$work/apptainer.deb"
}

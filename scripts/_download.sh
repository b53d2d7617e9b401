# shellcheck shell=bash disable=SC2154
# Downloading and placing files; sourced by setup, which provides `has`, `fail` and $work.

# Downloads a file: a minimal Debian has no other downloader than apt's own.
download() { # URL FILE
  if has curl; then
    curl -fsSL --max-time 300 -o "$2" "$1"
  elif [[ -x /usr/lib/apt/apt-helper ]]; then
    /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "$1" "$2"
  else
    wget -q -O "$2" "$1"
  fi
}

# Unpacks a package of the npm registry into $work/npm/NAME.
unpack_npm() { # PACKAGE VERSION NAME
  local log=$work/npm-$3.log npm_registry
  if ! has npm; then
    # Of npm itself, which comes with hundreds of packages, only the default registry is needed.
    if [[ $(package_manager) == apt-get ]]; then
      refresh_apt
      find_npm_registry
    else
      install_packages npm
    fi
  fi
  mkdir -p "$work/npm/$3"
  if ! fetch_npm "$1" "$2" "$work/$3.tgz" >"$log" 2>&1 ||
    ! tar -C "$work/npm/$3" -xzf "$work/$3.tgz" 2>>"$log"; then
    fail "cannot fetch $1@$2 from the npm registry: $(explain "$log")"
  fi
}

fetch_npm() { # PACKAGE VERSION FILE
  if has npm; then # it knows how to log in to a registry
    (cd "$work" && mv -- "$(npm pack --silent "$1@$2" | tail -n 1)" "$3")
  else
    download "${npm_registry%/}/$1/-/${1##*/}-$2.tgz" "$3"
  fi
}

# Sets $npm_registry to what npm would use: the registry of the environment, of the user's settings, or
# npm's default.
find_npm_registry() {
  npm_registry=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}}
  if [[ -z $npm_registry && -r $HOME/.npmrc ]]; then
    npm_registry=$(sed -n 's/^registry *= *//p' "$HOME/.npmrc" | tail -n 1)
  fi
  [[ -n $npm_registry ]] || npm_registry=$(packaged_default npm "default: 'https://registry[^']*")
}

# A URL that a Debian package has in its files; the package is not installed.
packaged_default() { # PACKAGE PATTERN
  local place=$work/package-$1
  mkdir -p "$place"
  (cd "$place" && apt-get -qq -o APT::Sandbox::User=root download "$1" >&2)
  dpkg-deb --fsys-tarfile "$place"/*.deb | tar -xO >"$place/files"
  grep -aoE "$2" "$place/files" | sed -n "1s/.*\(https:[^'\"]*\).*/\1/p"
}

is_sha256() { # FILE SUM
  [[ $(sha256sum <"$1") == "$2 "* ]]
}

place() { # FILE TARGET: an executable, complete or not at all
  mkdir -p "$(dirname -- "$2")"
  install -m 755 "$1" "$2.$$"
  mv -- "$2.$$" "$2"
}

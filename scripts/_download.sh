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
  local log=$work/npm-$3.log
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
    download "$(npm_registry)/$1/-/${1##*/}-$2.tgz" "$3"
  fi
}

# The registry that npm would use: of the environment, of the user's settings, or npm's default.
npm_registry() {
  local registry=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}}
  if [[ -z $registry && -r $HOME/.npmrc ]]; then
    registry=$(sed -n 's/^registry *= *//p' "$HOME/.npmrc" | tail -n 1)
  fi
  registry=${registry:-https://registry.npmjs.org}
  echo "${registry%/}"
}

is_sha256() { # FILE SUM
  [[ $(sha256sum <"$1") == "$2 "* ]]
}

place() { # FILE TARGET: an executable, complete or not at all
  mkdir -p "$(dirname -- "$2")"
  install -m 755 "$1" "$2.$$"
  mv -- "$2.$$" "$2"
}

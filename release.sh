#!/usr/bin/env bash
# Builds all that is published, and lays it out in target/repository as a Maven repository wants it: the library for every platform, its
# native jars, and libevent4j-platform. What is given as arguments goes to mvn, such as -DskipTests; otherwise the tests run, with the
# library of linux-x86_64 that is shipped.
#
# A build of the same sources gives the same bytes: target/release.sha256 tells which, for another build to be compared with.
set -euo pipefail
cd "$(dirname "$0")"

deploy() {
    mvn -B "$@" -DaltDeploymentRepository="staging::file:$PWD/target/repository" deploy
}

rm -rf target/repository
deploy -Prelease -Djavacpp.platform=linux-x86_64 "$@"
deploy -Prelease -f platform "$@"
(cd target && sha256sum libevent4j-*.jar ../platform/target/*.jar ../pom.xml ../platform/pom.xml) > target/release.sha256

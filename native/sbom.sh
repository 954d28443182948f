#!/usr/bin/env bash
# Prints what is in the library of the platform $1, built in the directory $2, as a CycloneDX document.
set -euo pipefail
platform=$1 out=$2
pom=$(dirname "$0")/../pom.xml

fact() {
    sed -n "s/^#define LIBEVENT4J_LIBEVENT_$1 \"\(.*\)\"/\1/p" "$out/include/libevent4j-build.h"
}
version=$(sed -n 's:^  <version>\(.*\)</version>:\1:p' "$pom")
javacpp=$(sed -n 's:.*<javacpp.version>\(.*\)</javacpp.version>.*:\1:p' "$pom")
revision=$(fact REVISION)

self="pkg:maven/io.github.libevent4j/libevent4j@$version?classifier=$platform&type=jar"
patches=
if [[ $revision == *-*-* ]]; then # the distribution's, such as 2.1.12-stable-8
    libevent="pkg:deb/$(. /etc/os-release && echo "$ID")/libevent@${revision//+/%2B}?arch=source"
    for fix in $(fact FIXES); do
        patches+=${patches:+, }"{\"type\": \"backport\", \"resolves\": [{\"type\": \"security\", \"id\": \"$fix\"}]}"
    done
else
    libevent="pkg:generic/libevent@$revision"
fi

cat << END
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "component": {
      "type": "library", "bom-ref": "$self", "group": "io.github.libevent4j", "name": "libevent4j", "version": "$version",
      "licenses": [{"license": {"id": "Apache-2.0"}}], "purl": "$self"
    }
  },
  "components": [
    {
      "type": "library", "bom-ref": "$libevent", "name": "libevent", "version": "$revision",
      "licenses": [{"license": {"id": "BSD-3-Clause"}}], "purl": "$libevent",
      "pedigree": {"patches": [$patches]}
    },
    {
      "type": "library", "bom-ref": "pkg:maven/org.bytedeco/javacpp@$javacpp", "group": "org.bytedeco", "name": "javacpp",
      "version": "$javacpp", "licenses": [{"license": {"id": "Apache-2.0"}}], "purl": "pkg:maven/org.bytedeco/javacpp@$javacpp"
    }
  ],
  "dependencies": [{"ref": "$self", "dependsOn": ["$libevent", "pkg:maven/org.bytedeco/javacpp@$javacpp"]}]
}
END

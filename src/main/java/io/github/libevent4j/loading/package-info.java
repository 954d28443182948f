/** How the native library gets into the JVM. Not exported, and of no use without this library. */
package io.github.libevent4j.loading;

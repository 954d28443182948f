/** Bytes and where they come from: buffers, bufferevents, listeners, rate limits. Misuse ends as {@link io.github.libevent4j} says. */
package io.github.libevent4j.io;

/** Bytes and where they come from: buffers, bufferevents, listeners, rate limits. */
package io.github.libevent4j.io;

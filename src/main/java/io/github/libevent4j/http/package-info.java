/** HTTP/1.1 with evhttp: a server, and a client connection. Misuse ends as {@link io.github.libevent4j} says. */
package io.github.libevent4j.http;

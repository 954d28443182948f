/** HTTP/1.1 with evhttp: a server, and a client connection. */
package io.github.libevent4j.http;

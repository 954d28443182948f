/** Names and addresses, resolved without blocking. */
package io.github.libevent4j.dns;

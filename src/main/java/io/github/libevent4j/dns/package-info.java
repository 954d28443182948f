/** Names and addresses, resolved without blocking. Misuse ends as {@link io.github.libevent4j} says. */
package io.github.libevent4j.dns;

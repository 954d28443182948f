/** The loop: event bases, events, timers and signals. */
package io.github.libevent4j;

/** What the API is made of: loops and their confinement, handles, callbacks. Not exported. */
package io.github.libevent4j.internal;

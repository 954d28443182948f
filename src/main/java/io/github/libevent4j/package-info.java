/**
 * The loop: event bases, events, timers and signals.
 *
 * <p><b>Misuse</b> ends in the same way in all packages, before anything has changed or been sent; the same call works when it is made
 * right afterwards:
 * <ul>
 *   <li>{@link NullPointerException}, which names the parameter, for null where a method does not say what it means; for null in an
 *       array or a collection it names the element;</li>
 *   <li>{@link IllegalArgumentException} for what is out of range, for a combination that makes no sense, and for what belongs to
 *       another base; {@link IndexOutOfBoundsException} for an offset and a length that an array does not have;</li>
 *   <li>{@link IllegalStateException} for the use of what is closed, or of what lives on a closed base, for the use of what belongs to a
 *       loop that another thread runs, which it names, and for what cannot be done now, such as running a loop from its own
 *       callback;</li>
 *   <li>{@link UnsupportedOperationException} for a channel whose descriptor cannot be had.</li>
 * </ul>
 * Every method may be called in every callback, and everything may be closed there: the object that calls back, its base, and others.
 * Where something cannot be done in a callback, it is refused as above, and the loop goes on.
 */
package io.github.libevent4j;

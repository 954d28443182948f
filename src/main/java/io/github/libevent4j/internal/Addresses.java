package io.github.libevent4j.internal;

import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;

/** Typed pointers of the raw layer for addresses that came through {@link Native}. They own nothing. */
public final class Addresses {

    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }

    private Addresses() {
    }

    public static <T extends Pointer> T of(long address, Function<Pointer, T> type) {
        return type.apply(new Address(address));
    }
}

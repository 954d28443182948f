package io.github.libevent4j.raw;

import static java.util.stream.Collectors.partitioningBy;
import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.libevent4j.global.libevent;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FunctionPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.NoException;
import org.junit.jupiter.api.Test;

/** Everything that libevent's headers offer on this platform is there in Java, with the same values and the same layout. */
class HeadersTest {

    @Test
    void everyFunctionIsBound() {
        Set<String> bound = Arrays.stream(libevent.class.getMethods())
            .filter(method -> Modifier.isNative(method.getModifiers()))
            .map(Method::getName)
            .collect(toSet());
        Set<String> missing = Facts.read("functions.txt").stream()
            .map(fact -> fact[0] + " (" + fact[1] + ")")
            .filter(function -> !bound.contains(function.substring(0, function.indexOf(' '))))
            .collect(toCollection(TreeSet::new));
        assertEquals(Set.of(), missing, "functions that Java cannot call");
    }

    /** Such a function ends the process when a callback throws, instead of throwing itself. */
    @Test
    void noFunctionIsTakenForOneThatNeverThrows() {
        assertEquals(Set.of(), Arrays.stream(libevent.class.getMethods())
            .filter(method -> method.isAnnotationPresent(NoException.class))
            .map(Method::getName)
            .collect(toSet()));
    }

    @Test
    void everyConstantHasItsValue() {
        Set<String> wrong = new TreeSet<>();
        for (String[] fact : Facts.read("constants.txt")) {
            Object value = constant(fact[0]);
            // An int holds the bits of an unsigned one.
            String expected = value instanceof Integer ? String.valueOf((int) Long.parseLong(fact[1])) : fact[1];
            if (!expected.equals(String.valueOf(value))) {
                wrong.add(fact[0] + " is " + fact[1] + " in C, " + value + " in Java");
            }
        }
        assertEquals(Set.of(), wrong);
    }

    @Test
    void everyStructureIsLaidOutAsInC() throws ReflectiveOperationException {
        Set<String> wrong = new TreeSet<>();
        for (String[] fact : Facts.read("structs.txt")) {
            String[] name = fact[0].split("\\.");
            int value = Integer.parseInt(fact[1]);
            Class<? extends Pointer> type = structure(name[0]);
            if (name.length == 1 ? Loader.sizeof(type) != value : !reads(type, name[1], value)) {
                wrong.add(fact[0] + " is " + value + " in C, but not in Java");
            }
        }
        assertEquals(Set.of(), wrong);
    }

    private static Object constant(String name) {
        try {
            return libevent.class.getField(name).get(null);
        } catch (NoSuchFieldException e) {
            return null;
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private static Class<? extends Pointer> structure(String name) throws ClassNotFoundException {
        return Class.forName("io.github.libevent4j.bindings." + name).asSubclass(Pointer.class);
    }

    /** Whether Java reads a member at this offset; or, where the member is a structure without a name, one of its members there. */
    private static boolean reads(Class<? extends Pointer> type, String name, int offset) throws ReflectiveOperationException {
        String member = name.equals("free") ? "_free" : name; // Pointer has a free() of its own
        Map<Boolean, List<Method>> getters = Arrays.stream(type.getDeclaredMethods())
            .filter(method -> method.getParameterCount() == 0)
            .filter(method -> method.getName().equals(member) || method.getName().startsWith(member + "_"))
            .collect(partitioningBy(method -> method.getName().equals(member)));
        for (Method getter : getters.get(getters.get(true).size() > 0)) {
            try (BytePointer memory = new BytePointer(Loader.sizeof(type))) {
                Pointer.memset(memory, 0, memory.capacity());
                memory.put(offset, (byte) 1);
                Object value = getter.invoke(type.getConstructor(Pointer.class).newInstance(memory));
                if (value instanceof FunctionPointer
                        || value instanceof Number number && number.longValue() != 0
                        || value instanceof Pointer pointer && (pointer.address() == 1 || pointer.address() == memory.address() + offset)) {
                    return true;
                }
            }
        }
        return false;
    }
}

package io.github.libevent4j.misuse;

import io.github.libevent4j.Event;
import io.github.libevent4j.EventBase;
import io.github.libevent4j.http.BodyListener;
import io.github.libevent4j.http.HttpBody;
import io.github.libevent4j.http.HttpHandler;
import io.github.libevent4j.http.HttpServer;
import io.github.libevent4j.io.Buffer;
import io.github.libevent4j.io.BufferEvent;
import io.github.libevent4j.io.ConnectionListener;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** All that is public in the exported packages but those of the raw layer, as reflection finds it. */
final class Api {

    private static final String ROOT = EventBase.class.getPackageName();
    private static final Set<String> RAW = Set.of(ROOT + ".bindings", ROOT + ".global");

    /** Interfaces that users implement: what is called there is not called by them. */
    static final Set<Class<?>> CALLBACKS = Set.of(Event.Handler.class, Buffer.Listener.class, BufferEvent.Listener.class,
        BufferEvent.Filter.class, ConnectionListener.Handler.class, ConnectionListener.ErrorHandler.class, HttpHandler.class,
        HttpServer.BufferEventFactory.class, BodyListener.class, HttpBody.Pieces.class);

    private static final List<Class<?>> TYPES = findTypes();
    private static final List<Call> CALLS = TYPES.stream().flatMap(Api::callsOf).sorted(Comparator.comparing(Call::toString)).toList();

    private Api() {
    }

    /** A public method or constructor of a public class, which may have inherited it. */
    record Call(Class<?> owner, Executable code) {

        /** Whether there must be an object to call it on. */
        boolean hasReceiver() {
            return code instanceof Method && !Modifier.isStatic(code.getModifiers());
        }

        Class<?>[] types() {
            return code.getParameterTypes();
        }

        Type[] genericTypes() {
            return code.getGenericParameterTypes();
        }

        List<String> names() {
            return Docs.of(this).names();
        }

        String name(int index) {
            return names().get(index);
        }

        Class<?> result() {
            return code instanceof Method method ? method.getReturnType() : owner;
        }

        /** A setting of a builder: it returns the builder. */
        boolean isSetting() {
            return owner.getSimpleName().equals("Builder") && result() == owner;
        }

        Outcome on(Object receiver, Object... arguments) {
            try {
                code.setAccessible(true); // what an inner class implements of a public interface
                return new Outcome(code instanceof Method method ? method.invoke(receiver, arguments)
                    : ((Constructor<?>) code).newInstance(arguments), null);
            } catch (InvocationTargetException e) {
                return new Outcome(null, e.getCause());
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(this + " cannot be called", e);
            }
        }

        @Override
        public String toString() {
            return nested(owner) + "." + (code instanceof Method ? code.getName() : "new") + Arrays.stream(types())
                .map(Class::getSimpleName).collect(Collectors.joining(", ", "(", ")"));
        }
    }

    /** What came of a call. */
    record Outcome(Object value, Throwable thrown) {

        boolean isNormal() {
            return thrown == null;
        }

        boolean is(Class<? extends Throwable> type) {
            return type.isInstance(thrown);
        }

        String message() {
            return thrown == null ? null : thrown.getMessage();
        }

        @Override
        public String toString() {
            return thrown == null ? "returned " + value : "threw " + thrown
                + Arrays.stream(thrown.getStackTrace()).limit(6).map(at -> "\n        at " + at).collect(Collectors.joining());
        }
    }

    /** The public classes, with those inside them. */
    static List<Class<?>> types() {
        return TYPES;
    }

    /** Their public methods and constructors, but those that the compiler or the JDK wrote. */
    static List<Call> calls() {
        return CALLS;
    }

    /** A class's name without its package, such as {@code Buffer.Listener}. */
    static String nested(Class<?> type) {
        return type.getCanonicalName() == null ? type.getSimpleName()
            : type.getCanonicalName().substring(type.getPackageName().length() + 1);
    }

    private static List<Class<?>> findTypes() {
        try {
            Path classes = Path.of(EventBase.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            ModuleDescriptor module;
            try (InputStream descriptor = Files.newInputStream(classes.resolve("module-info.class"))) {
                module = ModuleDescriptor.read(descriptor);
            }
            return module.exports().stream().filter(each -> !each.isQualified()).map(ModuleDescriptor.Exports::source)
                .filter(name -> !RAW.contains(name)).sorted().flatMap(name -> typesIn(classes, name)).toList();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Stream<Class<?>> typesIn(Path classes, String name) {
        try (Stream<Path> files = Files.list(classes.resolve(name.replace('.', '/')))) {
            return files.map(file -> file.getFileName().toString())
                .filter(file -> file.endsWith(".class") && !file.equals("package-info.class"))
                .sorted()
                .<Class<?>>map(file -> load(name + "." + file.substring(0, file.length() - ".class".length())))
                .filter(Api::isPublic)
                .toList().stream();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isPublic(Class<?> type) {
        return !type.isAnonymousClass() && !type.isLocalClass() && Modifier.isPublic(type.getModifiers())
            && (type.getEnclosingClass() == null || isPublic(type.getEnclosingClass()));
    }

    /** Whether it is for users to implement: abstract, or doing nothing. */
    static boolean isCallback(Method method) {
        return Modifier.isAbstract(method.getModifiers()) || method.isDefault() && method.getReturnType() == void.class;
    }

    private static Stream<Call> callsOf(Class<?> type) {
        Stream<Method> methods = Arrays.stream(type.getMethods())
            .filter(method -> !CALLBACKS.contains(type) || !isCallback(method))
            .filter(method -> !method.isSynthetic() && method.getDeclaringClass().getPackageName().startsWith(ROOT))
            .filter(method -> !type.isEnum() || !Set.of("values", "valueOf").contains(method.getName()))
            .filter(method -> !Set.of("equals", "hashCode").contains(method.getName()));
        return Stream.concat(methods, Arrays.stream(type.getConstructors())).filter(Objects::nonNull).map(code -> new Call(type, code));
    }
}

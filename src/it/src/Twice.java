import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;

/** Runs the consumer in two class loaders, as a container does that has the library in two of its applications. */
public class Twice {
    public static void main(String[] args) throws Exception {
        String[] entries = System.getProperty("java.class.path").split(File.pathSeparator);
        URL[] classPath = new URL[entries.length];
        for (int i = 0; i < entries.length; i++) {
            classPath[i] = Path.of(entries[i]).toUri().toURL();
        }
        try (URLClassLoader first = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader());
             URLClassLoader second = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
            for (ClassLoader each : new ClassLoader[] {first, second}) {
                Class.forName("Consumer", true, each).getMethod("main", String[].class).invoke(null, (Object) args);
            }
        }
    }
}

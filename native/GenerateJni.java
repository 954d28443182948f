import java.io.File;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarFile;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.tools.Builder;

/**
 * Runs JavaCPP's generator such that it writes the same C++ each time.
 *
 * <p>The generator asks each class for its methods, which a JVM tells in an order of its own, by where in memory their names are. It keeps
 * the answer for those who ask again: they are told in the order into which it is brought here.
 *
 * <p>{@code java --add-opens java.base/java.lang=ALL-UNNAMED -cp <classes>:<JavaCPP> GenerateJni.java <classes> <JavaCPP's arguments>}
 */
public class GenerateJni {

    /** What each class has told, which it would otherwise forget when memory is short. */
    private static final List<Object> KEPT = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        System.setProperty("org.bytedeco.javacpp.loadlibraries", "false");
        try (JarFile javacpp = new JarFile(new File(Loader.class.getProtectionDomain().getCodeSource().getLocation().toURI()))) {
            for (String name : (Iterable<String>) javacpp.stream().map(Object::toString)::iterator) {
                if (name.matches("org/bytedeco/javacpp/[^/]*\\.class")) {
                    sortMethods(name);
                }
            }
        }
        sortMethods(new File(args[0]), "");
        Builder.main(Arrays.copyOfRange(args, 1, args.length));
    }

    private static void sortMethods(File directory, String path) throws ReflectiveOperationException {
        for (File file : directory.listFiles()) {
            if (file.isDirectory()) {
                sortMethods(file, path + file.getName() + "/");
            } else if (file.getName().endsWith(".class") && !file.getName().endsWith("-info.class")) {
                sortMethods(path + file.getName());
            }
        }
    }

    private static void sortMethods(String file) throws ReflectiveOperationException {
        Class<?> type = Class.forName(file.replaceFirst("\\.class$", "").replace('/', '.'), false, GenerateJni.class.getClassLoader().getParent());
        type.getDeclaredMethods();
        Method reflectionData = Class.class.getDeclaredMethod("reflectionData");
        reflectionData.setAccessible(true);
        Object told = reflectionData.invoke(type);
        Field methods = told.getClass().getDeclaredField("declaredMethods");
        methods.setAccessible(true);
        Arrays.sort((Method[]) methods.get(told), Comparator.comparing(Method::toString));
        KEPT.add(told);
    }
}

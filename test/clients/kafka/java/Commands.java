// Kafka's command line tools one after the other in one process, as each one needs a second to start:
//
//   Commands BOOTSTRAP
//
// reads lines "CLASS ARGUMENT...", CLASS as in org.apache.kafka.tools, and its arguments without
// spaces in them.  It runs them against that broker and prints what they say, and then a line "== done".
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.internals.Exit;

public class Commands {
    // thrown in place of the end of the process
    static class Ended extends RuntimeException {
        Ended(int status) {
            super("it ends with " + status);
        }
    }

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));

        System.setErr(System.out);
        Exit.setExitProcedure((status, message) -> {
            throw new Ended(status);
        });
        for (String command; (command = commands.readLine()) != null; ) {
            run(args[0], command.split(" "));
            System.out.println("== done");
        }
    }

    static void run(String bootstrap, String[] words) throws ReflectiveOperationException {
        List<String> arguments = new ArrayList<>(List.of("--bootstrap-server", bootstrap));

        arguments.addAll(List.of(words).subList(1, words.length));
        try {
            Class.forName("org.apache.kafka.tools." + words[0]).getMethod("main", String[].class).invoke(null, (Object) arguments.toArray(String[]::new));
        } catch (InvocationTargetException e) {
            System.out.println(e.getCause() instanceof Ended ? e.getCause().getMessage() : "fails with " + e.getCause());
        }
    }
}

import java.sql.*;
import java.util.ArrayList;
import java.util.List;

/**
 * JDBC: orders in a transaction, a worker, and a leased worker behind a pooler.
 *
 *     Client produce FIRST LAST
 *     Client work
 *     Client lease MEMBER
 *
 * Connects as the PG... environment variables say.
 */
public class Client {
    record Order(String topic, int partition, long offset, int id, boolean bad) {}

    static volatile boolean stopRequested = false;
    static volatile Statement polling = null;
    static Connection conn;

    static Connection connect(String options) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT")
            + "/" + System.getenv("PGDATABASE") + "?user=" + System.getenv("PGUSER") + options);
    }

    /** SIGTERM runs this hook, and the JVM ends when it returns: so it waits for the loop's end. */
    static void stopOnSignal(Thread loop) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopRequested = true;
            try {
                Statement waiting = polling;
                if (waiting != null) waiting.cancel();
                loop.join();
            } catch (Exception e) {
                e.printStackTrace();
            }
            Runtime.getRuntime().halt(0); // else the status is that of the signal
        }));
    }

    /** A statement whose parameters, all given as text, have the types that the server chooses. */
    static PreparedStatement prepare(String sql, Object... values) throws SQLException {
        PreparedStatement statement = conn.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) statement.setObject(i + 1, values[i].toString(), Types.OTHER);
        return statement;
    }

    static void execute(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = prepare(sql, values)) {
            statement.execute();
        }
    }

    /** The rows of a query that may wait; none once the program is to stop. */
    static List<Order> poll(String sql, Object... values) throws SQLException {
        List<Order> orders = new ArrayList<>();
        try (PreparedStatement statement = prepare(sql, values)) {
            polling = statement;
            if (stopRequested) return orders;
            try (ResultSet rows = statement.executeQuery()) {
                polling = null;
                while (rows.next())
                    orders.add(new Order(rows.getString(1), rows.getInt(2), rows.getLong(3), rows.getInt(4), rows.getBoolean(5)));
            }
        } catch (SQLException e) {
            if (!stopRequested || !"57014".equals(e.getSQLState())) throw e;
        } finally {
            polling = null;
        }
        return orders;
    }

    static void produce(int first, int last) throws SQLException {
        conn = connect("");
        conn.setAutoCommit(false);
        for (int n = first; n <= last; n++) {
            execute("INSERT INTO orders_made VALUES (?)", n);
            execute("SELECT produce(?, ?, ?)", "orders", "customer " + n % 7, "{\"id\": " + n + ", \"bad\": " + (n % 10 == 0) + "}");
        }
        conn.commit();
        conn.close();
    }

    static void bill(Order order) throws Exception {
        execute("INSERT INTO billed VALUES (?)", order.id());
        if (order.bad()) throw new Exception("cannot be billed");
    }

    static void work() throws SQLException {
        conn = connect("");
        conn.setAutoCommit(false);
        while (!stopRequested) {
            List<Order> orders = poll("SELECT topic::text, partition, record_offset, (value::jsonb -> 'id')::int, (value::jsonb -> 'bad')::bool"
                + " FROM consume_many(?, 'billing', max_records => 10, timeout_ms => 5000)", "{orders,\"\\\"orders.retry\\\"\"}");
            for (Order order : orders) {
                Savepoint one = conn.setSavepoint();
                try {
                    bill(order);
                    conn.releaseSavepoint(one);
                } catch (Exception e) {
                    conn.rollback(one);
                    execute("SELECT nack(?, 'billing', ?, ?, ?)", order.topic(), order.partition(), order.offset(), e.getMessage());
                }
            }
            if (stopRequested && orders.isEmpty()) conn.rollback();
            else conn.commit();
        }
        conn.close();
    }

    static void lease(String member) throws SQLException {
        // a pooler gives each transaction another session: no prepared statements
        conn = connect("&prepareThreshold=0");
        while (!stopRequested) {
            List<Order> orders = poll("SELECT 'orders', partition, record_offset, (value::jsonb -> 'id')::int, false"
                + " FROM consume('orders', 'mailing', 10, timeout_ms => 5000, member_id => ?, lease => '10 s')", member);
            if (orders.isEmpty()) continue;
            conn.setAutoCommit(false);
            for (Order order : orders) execute("INSERT INTO mailed VALUES (?)", order.id());
            execute("SELECT commit_offsets('orders', 'mailing', ?)", member);
            conn.commit();
            conn.setAutoCommit(true);
        }
        execute("SELECT leave_group('orders', 'mailing', ?)", member);
        conn.close();
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("produce")) {
            produce(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
            return;
        }
        stopOnSignal(Thread.currentThread());
        if (args[0].equals("work")) work();
        else lease(args[1]);
    }
}

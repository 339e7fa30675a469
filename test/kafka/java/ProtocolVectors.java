/*
 * ProtocolVectors: vectors of what consumers of a group tell each other through
 * JoinGroup and SyncGroup, of which the broker knows bytes only.
 */
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.common.message.ConsumerProtocolAssignment;
import org.apache.kafka.common.message.ConsumerProtocolSubscription;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.Schema;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

final class ProtocolVectors {
    private final Lines out;

    private ProtocolVectors(Lines out) {
        this.out = out;
    }

    static void write(Path file) throws IOException, ReflectiveOperationException {
        try (Lines out = new Lines(file)) {
            ProtocolVectors vectors = new ProtocolVectors(out);
            vectors.cases(ConsumerProtocolSubscription.class, ConsumerProtocolSubscription.SCHEMAS);
            vectors.cases(ConsumerProtocolAssignment.class, ConsumerProtocolAssignment.SCHEMAS);
        }
    }

    private void cases(Class<? extends Message> type, Schema[] schemas)
            throws IOException, ReflectiveOperationException {
        for (short version = 0; version < schemas.length; version++) {
            add(version, "default", type.getConstructor().newInstance());
            for (FieldRule rule : List.of(FieldRule.filled(), new FieldRule.Nulls(false), new FieldRule.Nulls(true),
                new FieldRule.Empties(false), new FieldRule.Empties(true)))
                add(version, rule.name, new MessageFiller(rule).fill(type, schemas[version]));
        }
    }

    private void add(short version, String name, Message message)
            throws IOException, ReflectiveOperationException {
        ObjectNode line = Lines.object().put("key", -1).put("name", message.getClass().getSimpleName())
            .put("kind", "data").put("version", version).put("case", name);
        line.set("json", MessageVectors.json(message, version));
        out.add(line.put("hex", Lines.hex(MessageVectors.bytes(message, version))));
    }
}

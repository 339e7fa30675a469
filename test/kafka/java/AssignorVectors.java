/*
 * AssignorVectors: what Kafka's assignors make of random groups.
 *
 * Each history begins with a group, and goes on with members that come, go and change their subscriptions, and topics
 * that grow or come: each step is assigned anew, with the assignment of the step before.  A line is a step:
 *
 *   assignor alike topic,topic,... member;member;...   before   after
 *
 * A topic is its number of partitions; its id is its place, from 1 on.  A member is id=instance=topic,topic,...
 * with an empty instance where it is none.  Before and after are the places of the members that have the
 * partitions, from 0 on, "-" for nobody; a topic's end is "/".
 *
 * Kafka's assignors go through maps and sets in their own order.  It does not depend on chance here: members
 * stand in linked maps, and topics' ids are small numbers, whose hashes are in order.  So an implementation
 * with the same rules gets the same assignments.
 */
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.GroupAssignment;
import org.apache.kafka.coordinator.group.api.assignor.GroupSpec;
import org.apache.kafka.coordinator.group.api.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.api.assignor.MemberSubscription;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;

import java.io.BufferedWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

public final class AssignorVectors {
    private static final int HISTORIES = 240;
    private static final int STEPS = 8;
    private static final int NOBODY = -1;

    /** A member: its ids, and the places of its topics, in order. */
    private record Member(String id, String instance, TreeSet<Integer> topics) implements MemberSubscription {
        @Override
        public Optional<String> rackId() {
            return Optional.empty();
        }

        @Override
        public Optional<String> instanceId() {
            return Optional.ofNullable(instance);
        }

        @Override
        public Set<Uuid> subscribedTopicIds() {
            Set<Uuid> ids = new LinkedHashSet<>();
            topics.forEach(topic -> ids.add(topicId(topic)));
            return ids;
        }
    }

    private final Random random;
    private final BufferedWriter out;
    private final List<Integer> topics = new ArrayList<>();
    private final List<Member> members = new ArrayList<>();
    /** Of each topic, of each partition: the id of the member that has it, or null. */
    private final List<List<String>> owners = new ArrayList<>();
    private boolean mixed;
    private int named;

    private AssignorVectors(long seed, BufferedWriter out) {
        this.random = new Random(seed);
        this.out = out;
    }

    private static Uuid topicId(int place) {
        return new Uuid(0, place + 1);
    }

    private static int place(Uuid id) {
        return (int) id.getLeastSignificantBits() - 1;
    }

    // ---- a group and what happens to it

    private void addTopic() {
        int partitions = 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 8);
        topics.add(partitions);
        owners.add(new ArrayList<>(Collections.nCopies(partitions, null)));
    }

    private TreeSet<Integer> subscription() {
        TreeSet<Integer> chosen = new TreeSet<>();
        for (int topic = 0; topic < topics.size(); topic++)
            if (!mixed || random.nextInt(3) > 0) chosen.add(topic);
        return chosen;
    }

    private void addMember() {
        String id = String.format("%s%03d", random.nextBoolean() ? "m" : "a", named++);
        members.add(new Member(id, random.nextInt(3) == 0 ? "i" + random.nextInt(1000) + "-" + named : null, subscription()));
        members.sort((left, right) -> left.id().compareTo(right.id()));
    }

    private void removeMember() {
        String id = members.remove(random.nextInt(members.size())).id();
        owners.forEach(topic -> topic.replaceAll(owner -> id.equals(owner) ? null : owner));
    }

    private void growTopic() {
        int topic = random.nextInt(topics.size());
        int more = 1 + random.nextInt(5);
        topics.set(topic, topics.get(topic) + more);
        owners.get(topic).addAll(Collections.nCopies(more, null));
    }

    private void resubscribe() {
        int place = random.nextInt(members.size());
        Member old = members.get(place);
        members.set(place, new Member(old.id(), old.instance(), subscription()));
    }

    private void resubscribeAll() {
        members.replaceAll(old -> new Member(old.id(), old.instance(), subscription()));
    }

    private void change() {
        switch (random.nextInt(6)) {
            case 0 -> growTopic();
            case 1 -> {
                if (topics.size() < 10) addTopic();
                if (!mixed) resubscribeAll();
            }
            case 2 -> {
                if (mixed) resubscribe();
                else addMember();
            }
            case 3 -> {
                if (members.size() > 1) removeMember();
            }
            case 4 -> {
                for (int i = random.nextInt(4); i >= 0; i--) addMember();
            }
            default -> {
                for (int i = random.nextInt(3); i >= 0 && members.size() > 1; i--) removeMember();
            }
        }
    }

    // ---- a step

    /** Topics to which nobody is subscribed are none for the assignors: nobody has them, and they have a line of their own. */
    private void forgetUnsubscribed() {
        for (int topic = 0; topic < topics.size(); topic++) {
            int it = topic;
            if (members.stream().noneMatch(member -> member.topics().contains(it)))
                owners.get(topic).replaceAll(owner -> null);
        }
    }

    private boolean isAlike() {
        return members.stream().allMatch(member -> member.topics().equals(members.get(0).topics()));
    }

    private Map<Uuid, Set<Integer>> assignmentOf(String id) {
        Map<Uuid, Set<Integer>> assignment = new TreeMap<>();
        for (int topic = 0; topic < owners.size(); topic++)
            for (int partition = 0; partition < owners.get(topic).size(); partition++)
                if (id.equals(owners.get(topic).get(partition)))
                    assignment.computeIfAbsent(topicId(topic), __ -> new TreeSet<>()).add(partition);
        return Collections.unmodifiableMap(assignment);
    }

    private GroupSpec spec(boolean alike) {
        Map<String, Member> byId = new LinkedHashMap<>();
        Map<String, Map<Uuid, Set<Integer>>> assignments = new LinkedHashMap<>();
        for (Member member : members) {
            byId.put(member.id(), member);
            assignments.put(member.id(), assignmentOf(member.id()));
        }
        return new GroupSpec() {
            @Override
            public Collection<String> memberIds() {
                return byId.keySet();
            }

            @Override
            public SubscriptionType subscriptionType() {
                return alike ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
            }

            @Override
            public boolean isPartitionAssigned(Uuid topic, int partition) {
                return owners.get(place(topic)).get(partition) != null;
            }

            @Override
            public boolean isPartitionAssignable(Uuid topic, int partition) {
                return true;
            }

            @Override
            public MemberSubscription memberSubscription(String id) {
                return byId.get(id);
            }

            @Override
            public MemberAssignment memberAssignment(String id) {
                return () -> assignments.get(id);
            }
        };
    }

    private SubscribedTopicDescriber describer() {
        return new SubscribedTopicDescriber() {
            @Override
            public int numPartitions(Uuid topic) {
                return topics.get(place(topic));
            }

            @Override
            public Set<String> racksForPartition(Uuid topic, int partition) {
                return Set.of();
            }
        };
    }

    private String ownersText() {
        Map<String, Integer> places = new LinkedHashMap<>();
        for (Member member : members) places.put(member.id(), places.size());
        StringBuilder text = new StringBuilder();
        for (List<String> topic : owners) {
            for (int partition = 0; partition < topic.size(); partition++) {
                int owner = topic.get(partition) == null ? NOBODY : places.get(topic.get(partition));
                if (partition > 0) text.append(',');
                text.append(owner == NOBODY ? "-" : owner);
            }
            text.append('/');
        }
        return text.toString();
    }

    private static String join(Collection<Integer> numbers) {
        return String.join(",", numbers.stream().map(String::valueOf).toList());
    }

    private void step(ConsumerGroupPartitionAssignor assignor) throws Exception {
        forgetUnsubscribed();
        boolean alike = isAlike();
        String before = ownersText();
        GroupAssignment assigned = assignor.assign(spec(alike), describer());
        owners.forEach(topic -> topic.replaceAll(__ -> null));
        for (Map.Entry<String, MemberAssignment> entry : assigned.members().entrySet())
            entry.getValue().partitions().forEach((topic, partitions) ->
                partitions.forEach(partition -> owners.get(place(topic)).set(partition, entry.getKey())));
        List<String> texts = new ArrayList<>();
        for (Member member : members)
            texts.add(member.id() + "=" + (member.instance() == null ? "" : member.instance()) + "=" + join(member.topics()));
        out.write(String.join("\t", assignor.name(), alike ? "1" : "0", join(topics), String.join(";", texts), before, ownersText()));
        out.write('\n');
    }

    private void history(ConsumerGroupPartitionAssignor assignor) throws Exception {
        mixed = random.nextInt(5) > 1;
        for (int i = 1 + random.nextInt(6); i > 0; i--) addTopic();
        for (int i = 1 + random.nextInt(9); i > 0; i--) addMember();
        for (int i = 0; i < STEPS; i++) {
            step(assignor);
            change();
        }
    }

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[0], "assignors.txt");
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (int i = 0; i < HISTORIES; i++)
                new AssignorVectors(i, out).history(i % 4 == 3 ? new RangeAssignor() : new UniformAssignor());
        }
    }
}

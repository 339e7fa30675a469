// Members of consumer groups as a broker sees them: the requests of many clients from one thread, made and
// read by Kafka's own classes, with as little of a client behind them as there can be.
//
//   java -cp ... KafkaGroups.java BOOTSTRAP TOPIC PARTITIONS heartbeats classic|consumer GROUPS INTERVAL_MS SECONDS
//       groups of one member, whose heartbeats are spread over the interval: how many heartbeats a second
//   java -cp ... KafkaGroups.java BOOTSTRAP TOPIC PARTITIONS rebalance classic|consumer MEMBERS ROUNDS
//       the milliseconds of a rebalance because one more member joins, and of one that all begin at once
//   java -cp ... KafkaGroups.java BOOTSTRAP TOPIC PARTITIONS commits CONNECTIONS RATE SECONDS
//       groups that commit an offset each, at that rate or, if it is 0, as soon as the one before is answered:
//       commits a second, and the milliseconds until the answer, of the median and of the worst hundredth
//
// Prints "ready" when what is to be measured begins, and the numbers when it has ended.
import java.io.EOFException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;

public class KafkaGroups {
    static final int LIMIT_SECONDS = 60;
    static String topic;
    static int partitions;

    // ---- the connections, and what is to be done at some time -------------------------

    static Selector selector;
    static InetSocketAddress address;
    static final PriorityQueue<Timer> timers = new PriorityQueue<>((a, b) -> Long.compare(a.at - b.at, 0));

    // all members so far; what they are at says why nothing goes on
    static final List<Member> known = new ArrayList<>();

    record Timer(long at, Runnable action) {
    }

    static void after(double ms, Runnable action) {
        timers.add(new Timer(System.nanoTime() + (long) (ms * 1e6), action));
    }

    // a connection with one request at a time
    @SuppressWarnings("unchecked")
    static class Link {
        final SocketChannel channel;
        ByteBuffer in = ByteBuffer.allocate(1 << 16);
        RequestHeader header;
        Consumer<ApiMessage> then;
        int correlation;

        Link() throws Exception {
            channel = SocketChannel.open(address);
            channel.socket().setTcpNoDelay(true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
        }

        <T extends ApiMessage> void ask(ApiKeys api, int version, ApiMessage request, Consumer<T> then) {
            if (header != null)
                throw new IllegalStateException(api + " while " + header.apiKey() + " is not answered");
            header = new RequestHeader(api, (short) version, "bench", ++correlation);
            this.then = answer -> then.accept((T) answer);
            ByteBuffer head = MessageUtil.toByteBufferAccessor(header.data(), header.headerVersion()).buffer();
            ByteBuffer body = MessageUtil.toByteBufferAccessor(request, (short) version).buffer();
            ByteBuffer frame = ByteBuffer.allocate(4 + head.remaining() + body.remaining());

            frame.putInt(head.remaining() + body.remaining()).put(head).put(body).flip();
            try {
                while (frame.hasRemaining())
                    channel.write(frame);
            } catch (java.io.IOException e) {
                throw new IllegalStateException(api + ": " + e);
            }
        }

        void read() throws Exception {
            if (channel.read(in) < 0)
                throw new EOFException("the broker closed a connection after " + header);
            while (in.position() >= 4 && in.position() >= 4 + in.getInt(0)) {
                int length = in.getInt(0);
                ApiMessage answer = AbstractResponse.parseResponse(in.duplicate().position(4).limit(4 + length).slice(), header).data();

                in.flip().position(4 + length);
                in.compact();
                header = null;
                then.accept(answer);
            }
            if (in.position() >= 4 && in.getInt(0) + 4 > in.capacity())
                in = ByteBuffer.allocate(in.getInt(0) + 4).put(in.flip());
        }
    }

    // one round of the loop after the other, until it is so
    static void run(String what, BooleanSupplier done) throws Exception {
        long limit = System.nanoTime() + LIMIT_SECONDS * 1_000_000_000L;

        while (!done.getAsBoolean()) {
            long now = System.nanoTime();

            if (now - limit > 0)
                throw new IllegalStateException("too slow: " + what + " at " + address + ": "
                    + known.stream().filter(m -> m.link.channel.isOpen()).limit(10).map(Member::toString).toList());
            while (!timers.isEmpty() && timers.peek().at - now <= 0)
                timers.poll().action.run();
            // select() takes whole milliseconds
            if (timers.isEmpty() || timers.peek().at - now > 1_000_000)
                selector.select(timers.isEmpty() ? 100 : Math.min(100, (timers.peek().at - now) / 1_000_000));
            else
                selector.selectNow();
            for (SelectionKey key : selector.selectedKeys())
                ((Link) key.attachment()).read();
            selector.selectedKeys().clear();
        }
    }

    static void runFor(double seconds) throws Exception {
        long end = System.nanoTime() + (long) (seconds * 1e9);

        run("", () -> System.nanoTime() - end >= 0);
    }

    static void check(short code, String what) {
        if (code != 0)
            throw new IllegalStateException(what + ": " + Errors.forCode(code));
    }

    // A broker that has just begun loads its groups, some after others: does it only ask to come again?
    static boolean isLoading(short code) {
        return code == Errors.COORDINATOR_LOAD_IN_PROGRESS.code() || code == Errors.COORDINATOR_NOT_AVAILABLE.code()
            || code == Errors.NOT_COORDINATOR.code();
    }

    // ---- members ------------------------------------------------------------------------

    // pause: how long it waits between two heartbeats, in ms
    static abstract class Member {
        final Link link;
        final String group;
        double pause;
        int heartbeats, owned;
        boolean left;
        // the coordinator's last refusal, and how many there were
        String refusal = "";
        int refusals;

        Member(String group, double pause) throws Exception {
            this.link = new Link();
            this.group = group;
            this.pause = pause;
            known.add(this);
        }

        // Does the answer only ask to come again?  Then it does.
        boolean comesAgain(short code, String message) {
            if (!isLoading(code))
                return false;
            refusal = Errors.forCode(code) + (message == null ? "" : " (" + message + ")");
            refusals++;
            after(100, this::join);
            return true;
        }

        public String toString() {
            return "generation " + settled() + ", " + owned + " partitions, " + heartbeats + " heartbeats"
                + (link.header == null ? "" : ", waits for " + link.header.apiKey())
                + (refusals == 0 ? "" : ", refused " + refusals + " times: " + refusal);
        }

        abstract void join();

        abstract void heartbeat();

        abstract void leave();

        // the generation in which it has its assignment, or -1 if it has none
        abstract int settled();

        void heartbeatLater(double ms) {
            after(ms, () -> {
                if (!left && link.header == null)
                    heartbeat();
            });
        }
    }

    static class ClassicMember extends Member {
        String id = "";
        int generation = -1, round;
        boolean stable;

        ClassicMember(String group, double pause) throws Exception {
            super(group, pause);
        }

        int settled() {
            return stable ? generation : -1;
        }

        // what it says of itself is new each time, so that the group rebalances
        void join() {
            var protocols = new JoinGroupRequestProtocolCollection();
            var said = ConsumerProtocol.serializeSubscription(new Subscription(List.of(topic), ByteBuffer.allocate(4).putInt(0, ++round)));

            stable = false;
            protocols.add(new JoinGroupRequestProtocol().setName("range").setMetadata(bytes(said)));
            link.<JoinGroupResponseData>ask(ApiKeys.JOIN_GROUP, 9, new JoinGroupRequestData().setGroupId(group).setMemberId(id)
                .setSessionTimeoutMs(45000).setRebalanceTimeoutMs(300000).setProtocolType("consumer").setProtocols(protocols), this::joined);
        }

        void joined(JoinGroupResponseData answer) {
            if (answer.errorCode() == Errors.MEMBER_ID_REQUIRED.code()) {
                id = answer.memberId();
                join();
                return;
            }
            if (comesAgain(answer.errorCode(), null))
                return;
            check(answer.errorCode(), "JoinGroup");
            generation = answer.generationId();
            var request = new SyncGroupRequestData().setGroupId(group).setMemberId(id).setGenerationId(generation)
                .setProtocolType("consumer").setProtocolName("range");
            if (answer.leader().equals(id))
                request.setAssignments(assignments(answer.members()));
            link.<SyncGroupResponseData>ask(ApiKeys.SYNC_GROUP, 5, request, this::synced);
        }

        static List<SyncGroupRequestAssignment> assignments(List<JoinGroupResponseData.JoinGroupResponseMember> members) {
            List<SyncGroupRequestAssignment> all = new ArrayList<>();

            for (int m = 0; m < members.size(); m++) {
                List<TopicPartition> own = new ArrayList<>();

                for (int p = m; p < partitions; p += members.size())
                    own.add(new TopicPartition(topic, p));
                all.add(new SyncGroupRequestAssignment().setMemberId(members.get(m).memberId())
                    .setAssignment(bytes(ConsumerProtocol.serializeAssignment(new Assignment(own)))));
            }
            return all;
        }

        void synced(SyncGroupResponseData answer) {
            if (answer.errorCode() == Errors.REBALANCE_IN_PROGRESS.code()) {
                join();
                return;
            }
            check(answer.errorCode(), "SyncGroup");
            owned = ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(answer.assignment())).partitions().size();
            stable = true;
            heartbeatLater(Math.random() * pause);
        }

        void heartbeat() {
            link.<HeartbeatResponseData>ask(ApiKeys.HEARTBEAT, 4, new HeartbeatRequestData().setGroupId(group).setMemberId(id)
                .setGenerationId(generation), answer -> {
                    if (answer.errorCode() == Errors.REBALANCE_IN_PROGRESS.code()) {
                        join();
                        return;
                    }
                    check(answer.errorCode(), "Heartbeat");
                    heartbeats++;
                    heartbeatLater(pause);
                });
        }

        void leave() {
            left = true;
            link.<LeaveGroupResponseData>ask(ApiKeys.LEAVE_GROUP, 5, new LeaveGroupRequestData().setGroupId(group)
                .setMembers(List.of(new MemberIdentity().setMemberId(id))), answer -> check(answer.errorCode(), "LeaveGroup"));
        }
    }

    static class ModernMember extends Member {
        final String id = Uuid.randomUuid().toString();
        int epoch;
        boolean told = true;
        List<ConsumerGroupHeartbeatRequestData.TopicPartitions> own = List.of();

        ModernMember(String group, double pause) throws Exception {
            super(group, pause);
        }

        int settled() {
            return epoch > 0 && told ? epoch : -1;
        }

        void join() {
            heartbeat();
        }

        // it says what it has when it joins, and when that has changed
        void heartbeat() {
            var request = new ConsumerGroupHeartbeatRequestData().setGroupId(group).setMemberId(id).setMemberEpoch(epoch).setTopicPartitions(null);

            if (epoch == 0)
                request.setRebalanceTimeoutMs(300000).setSubscribedTopicNames(List.of(topic));
            if (epoch == 0 || !told)
                request.setTopicPartitions(own);
            told = true;
            link.ask(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1, request, this::answered);
        }

        void answered(ConsumerGroupHeartbeatResponseData answer) {
            if (epoch == 0 && comesAgain(answer.errorCode(), answer.errorMessage()))
                return;
            check(answer.errorCode(), "ConsumerGroupHeartbeat");
            epoch = answer.memberEpoch();
            heartbeats++;
            if (answer.assignment() == null) {
                heartbeatLater(heartbeats == 1 ? Math.random() * pause : pause);
                return;
            }
            own = answer.assignment().topicPartitions().stream().map(t -> new ConsumerGroupHeartbeatRequestData.TopicPartitions()
                .setTopicId(t.topicId()).setPartitions(t.partitions())).toList();
            owned = own.stream().mapToInt(t -> t.partitions().size()).sum();
            told = false;
            heartbeatLater(0);
        }

        void leave() {
            left = true;
            link.<ConsumerGroupHeartbeatResponseData>ask(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1, new ConsumerGroupHeartbeatRequestData()
                .setGroupId(group).setMemberId(id).setMemberEpoch(-1), answer -> check(answer.errorCode(), "leaving"));
        }
    }

    static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];

        buffer.duplicate().get(bytes);
        return bytes;
    }

    static Member member(String protocol, String group, double pause) throws Exception {
        return protocol.equals("classic") ? new ClassicMember(group, pause) : new ModernMember(group, pause);
    }

    // do all of a group have their share, in the same generation?
    static boolean settled(List<Member> members) {
        int owned = 0;

        for (Member member : members) {
            if (member.settled() < 0 || member.settled() != members.get(0).settled() || (member.owned == 0 && members.size() <= partitions))
                return false;
            owned += member.owned;
        }
        return owned == partitions;
    }

    // ---- what is measured ---------------------------------------------------------------

    static void heartbeats(String protocol, int groups, int pause, int seconds) throws Exception {
        List<Member> members = new ArrayList<>();
        String run = Uuid.randomUuid().toString();

        for (int i = 0; i < groups; i++) {
            members.add(member(protocol, "alive-" + run + i, pause));
            members.get(i).join();
            // not more than some of them at once
            int joined = i;
            if (i % 50 == 0)
                run("joining", () -> members.subList(0, joined).stream().filter(m -> m.settled() < 0).count() < 500);
        }
        run("joining", () -> members.stream().allMatch(m -> m.settled() >= 0));
        runFor(pause / 1000.0);
        members.forEach(m -> m.heartbeats = 0);
        System.out.println("ready");
        runFor(seconds);
        System.out.printf("%.1f%n", members.stream().mapToInt(m -> m.heartbeats).sum() / (double) seconds);
    }

    static double timed(String what, List<Member> members) throws Exception {
        long began = System.nanoTime();

        run(what, () -> settled(members));
        return (System.nanoTime() - began) / 1e6;
    }

    static List<Member> joinAll(String protocol, String group, int count) throws Exception {
        List<Member> members = new ArrayList<>();

        for (int i = 0; i < count; i++)
            members.add(member(protocol, group, 0));
        members.forEach(Member::join);
        return members;
    }

    // members ask again as soon as they have an answer, so that the time is not that between two heartbeats
    static void rebalance(String protocol, int count, int rounds) throws Exception {
        String group = "crowd-" + Uuid.randomUuid();
        List<Member> members = joinAll(protocol, group, count);
        double[] one = new double[rounds], all = new double[rounds];

        run("joining", () -> settled(members));
        System.out.println("ready");
        // the first rounds are for Java to compile what is used
        for (int i = -2; i < rounds; i++) {
            members.add(member(protocol, group, 0));
            members.get(count).join();
            double ms = timed("one more", members);

            if (i >= 0)
                one[i] = ms;
            Member last = members.remove(count);
            run("its heartbeat", () -> last.link.header == null);
            last.leave();
            run("leaving", () -> last.link.header == null && settled(members));
            last.link.channel.close();

            run("heartbeats", () -> {
                members.forEach(m -> m.left = true);
                return members.stream().allMatch(m -> m.link.header == null);
            });
            members.forEach(m -> m.left = false);
            if (protocol.equals("classic"))
                members.forEach(Member::join);
            else {
                members.forEach(Member::leave);
                run("leaving", () -> members.stream().allMatch(m -> m.link.header == null));
                for (Member member : members)
                    member.link.channel.close();
                members.clear();
                members.addAll(joinAll(protocol, group, count));
            }
            ms = timed("all", members);
            if (i >= 0)
                all[i] = ms;
        }
        Arrays.sort(one);
        Arrays.sort(all);
        System.out.printf("%.3f %.3f%n", one[rounds / 2], all[rounds / 2]);
    }

    static class Committer {
        final Link link = new Link();
        final String group;
        final int partition;
        final double pause;
        long offset, due;

        Committer(int number, double pause) throws Exception {
            this.group = "commits-" + number;
            this.partition = number % partitions;
            this.pause = pause;
            this.due = System.nanoTime() + (long) (Math.random() * pause * 1e6);
        }

        void commit() {
            long began = System.nanoTime();
            var part = new OffsetCommitRequestPartition().setPartitionIndex(partition).setCommittedOffset(offset++);
            var request = new OffsetCommitRequestData().setGroupId(group)
                .setTopics(List.of(new OffsetCommitRequestTopic().setName(topic).setPartitions(List.of(part))));

            link.<OffsetCommitResponseData>ask(ApiKeys.OFFSET_COMMIT, 9, request, answer -> {
                short code = answer.topics().get(0).partitions().get(0).errorCode();
                if (isLoading(code)) {
                    after(100, this::commit);
                    return;
                }
                check(code, "OffsetCommit");
                took.add((System.nanoTime() - began) / 1e6);
                due += (long) (pause * 1e6);
                after(pause == 0 ? 0 : (due - System.nanoTime()) / 1e6, this::commit);
            });
        }
    }

    static final List<Double> took = new ArrayList<>();

    static void commits(int connections, int rate, int seconds) throws Exception {
        for (int i = 0; i < connections; i++) {
            Committer committer = new Committer(i, rate == 0 ? 0 : 1000.0 * connections / rate);

            after((committer.due - System.nanoTime()) / 1e6, committer::commit);
        }
        // Java is slow at first
        runFor(Math.min(2, seconds));
        took.clear();
        System.out.println("ready");
        runFor(seconds);
        double[] sorted = took.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        System.out.printf("%.1f %.3f %.3f%n", sorted.length / (double) seconds, sorted[sorted.length / 2], sorted[sorted.length * 99 / 100]);
    }

    // a group's first request makes a broker look for its coordinator, and make what that needs
    static void findCoordinator() throws Exception {
        Link link = new Link();
        short[] code = {-1};

        while (code[0] != 0) {
            link.<FindCoordinatorResponseData>ask(ApiKeys.FIND_COORDINATOR, 4,
                new FindCoordinatorRequestData().setCoordinatorKeys(List.of("any")), answer -> code[0] = answer.coordinators().get(0).errorCode());
            run("FindCoordinator", () -> link.header == null);
            runFor(0.1);
        }
        link.channel.close();
    }

    public static void main(String[] args) throws Exception {
        int[] numbers = Arrays.stream(args).skip(args[3].equals("commits") ? 4 : 5).mapToInt(Integer::parseInt).toArray();

        address = new InetSocketAddress(args[0].split(":")[0], Integer.parseInt(args[0].split(":")[1]));
        selector = Selector.open();
        topic = args[1];
        partitions = Integer.parseInt(args[2]);
        findCoordinator();
        switch (args[3]) {
            case "heartbeats" -> heartbeats(args[4], numbers[0], numbers[1], numbers[2]);
            case "rebalance" -> rebalance(args[4], numbers[0], numbers[1]);
            case "commits" -> commits(numbers[0], numbers[1], numbers[2]);
            default -> throw new IllegalArgumentException(args[3]);
        }
        System.exit(0);
    }
}

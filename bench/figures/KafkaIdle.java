// Opens so many connections to a broker, asks each of them which versions it has, as clients do first,
// prints a line, and keeps them until its input ends:
//
//   java KafkaIdle.java HOST:PORT COUNT
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

public class KafkaIdle {
    public static void main(String[] args) throws Exception {
        String[] address = args[0].split(":");
        List<Socket> sockets = new ArrayList<>();

        for (int i = 0; i < Integer.parseInt(args[1]); i++) {
            Socket socket = new Socket(address[0], Integer.parseInt(address[1]));
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            DataInputStream in = new DataInputStream(socket.getInputStream());

            // length, ApiVersions, version 0, correlation id, client id
            out.writeInt(2 + 2 + 4 + 2 + 4);
            out.writeShort(18);
            out.writeShort(0);
            out.writeInt(1);
            out.writeUTF("idle");
            in.readFully(new byte[in.readInt()]);
            sockets.add(socket);
        }
        System.out.println("connected");
        while (System.in.read() >= 0)
            ;
    }
}

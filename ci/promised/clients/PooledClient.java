import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;

/** What {@code pooled_client.py} says, by the pool of {@code java.net.http}: {@code java PooledClient.java PORT PLAN}. */
class PooledClient {
    static final Duration TIMEOUT = Duration.ofSeconds(30);
    static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public static void main(String[] arguments) throws Exception {
        String base = "http://127.0.0.1:" + arguments[0];
        for (String line : Files.readAllLines(Path.of(arguments[1]))) {
            String[] part = line.split("\t", -1);
            String what = part[0] + " " + part[1] + " " + part[3] + " " + part[4];
            byte[] body = new byte[Integer.parseInt(part[3])];
            Arrays.fill(body, (byte) 'x');
            try {
                HttpResponse<byte[]> answer = send(base + part[1], part[0], part[2], body, part[4]);
                boolean closes = answer.headers().firstValue("connection").orElse("").equals("close");
                System.out.println(answer.statusCode() + (closes ? " closes" : " stays"));
            } catch (IOException error) {
                System.out.println("lost refused " + what + ": " + error);
                continue;
            }
            try {
                System.out.println("followed " + send(base + part[6], part[5], part[7], part[8].getBytes(), "length").statusCode());
            } catch (IOException error) {
                System.out.println("lost follow-up of " + what + ": " + error);
            }
        }
    }

    static HttpResponse<byte[]> send(String url, String method, String token, byte[] body, String framing)
            throws IOException, InterruptedException {
        boolean chunked = framing.contains("chunked");
        HttpRequest.BodyPublisher publisher = chunked ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body))
                : body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).timeout(TIMEOUT).method(method, publisher)
                .header("Content-Type", "application/json").expectContinue(framing.contains("expect"));
        if (!token.isEmpty()) {
            request.header("X-Tapis-Token", token);
        }
        return CLIENT.send(request.build(), BodyHandlers.ofByteArray());
    }
}

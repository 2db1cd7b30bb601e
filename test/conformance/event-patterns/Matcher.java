import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/** Reads lines of {"pattern": ..., "event": ...} and prints, for each, "true", "false" or "refused" and why, by aws/event-ruler. */
public class Matcher {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode pair = json.readTree(line);
      out.println(answer(pair.get("pattern").toString(), pair.get("event").toString()));
    }
    out.flush();
  }

  /** The answer of the matcher's default search, and where its other search answers otherwise, both with a bar between. */
  static String answer(String pattern, String event) {
    Machine machine = new Machine();
    Machine other = Machine.builder().withStructuredMatching(false).build();
    try {
      machine.addRule("rule", pattern);
      other.addRule("rule", pattern);
    } catch (Exception refusal) {
      return "refused " + String.valueOf(refusal.getMessage()).split("\n")[0];
    }
    try {
      boolean found = !machine.rulesForJSONEvent(event).isEmpty();
      boolean otherwise = !other.rulesForJSONEvent(event).isEmpty();
      return found == otherwise ? String.valueOf(found) : found + "|" + otherwise;
    } catch (Exception failure) {
      return "failed " + String.valueOf(failure.getMessage()).split("\n")[0];
    }
  }
}

// kantor-roll.js: the piano roll and the player in one file that needs nothing else.
import { definePlayer } from "./player.ts";
import { defineRoll } from "./roll.ts";

export { KantorPlayer } from "./player.ts";
export { KantorRoll } from "./roll.ts";

defineRoll();
definePlayer();

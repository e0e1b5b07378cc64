import { defineRoll } from "./roll.ts";
import { defineScore } from "./score_view.ts";
import { Studio } from "./studio.ts";

defineRoll();
defineScore();
const studio = new Studio();
Object.assign(globalThis, { studio }); // for the curious, and for the tests
void studio.begin();

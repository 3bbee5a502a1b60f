import type { AddFile } from "../log/actions.js";
import type { Snapshot } from "../log/snapshot.js";
import { ADD_COLUMNS, addReader } from "../read/fileActions.js";

/** The live files of a snapshot as the actions that added them. */
export async function* liveAdds(snapshot: Snapshot, signal?: AbortSignal): AsyncGenerator<AddFile> {
  for await (const batch of snapshot.fileBatches({ columns: ADD_COLUMNS, signal })) {
    const read = addReader(batch);
    for (let row = 0; row < batch.numRows; row++) yield read(row);
  }
}

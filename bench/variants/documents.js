// npm y-partyserver, as its README says to use it, with the document in the room's SQLite.

import { routePartykitRequest } from "partyserver";
import { YServer } from "y-partyserver";
import * as Y from "yjs";

export class Notes extends YServer {
  static options = { hibernate: true };

  async onStart() {
    this.ctx.storage.sql.exec("create table if not exists documents (id text primary key, data blob)");
    await super.onStart();
  }

  async onLoad() {
    const rows = [...this.ctx.storage.sql.exec("select data from documents where id = ?", this.name)];
    for (const { data } of rows) {
      Y.applyUpdate(this.document, new Uint8Array(/** @type {ArrayBuffer} */ (data)));
    }
  }

  async onSave() {
    const data = Y.encodeStateAsUpdate(this.document);
    this.ctx.storage.sql.exec("insert or replace into documents values (?, ?)", this.name, data);
  }

  /** How many bytes are stored of the document. */
  onRequest() {
    const { sql } = this.ctx.storage;
    const { stored } = sql.exec("select coalesce(sum(length(data)), 0) stored from documents").one();
    return Response.json({ stored });
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};

import type { OwnFunction } from "./own.js";

const URL_FORM = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;
const ALLOWED = /^(?:[A-Za-z0-9\-._~:/?#@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;
const HOST =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?|\d{1,3}(?:\.\d{1,3}){3})$/;

interface Url {
  readonly PROTOCOL: string;
  readonly AUTHORITY: string | null;
  readonly USERINFO: string | null;
  readonly HOST: string | null;
  readonly PATH: string;
  readonly QUERY: string | null;
  readonly FILE: string;
  readonly REF: string | null;
}

/** Only URLs that Java surely takes apart in the same way. */
function urlOf(text: string): Url {
  const found = ALLOWED.test(text) ? URL_FORM.exec(text) : null;
  const [, user, host = "", port = ""] = /^(?:([^@]*)@)?([^@:]*)(?::(\d*))?$/.exec(found?.[2] ?? "") ?? [];
  const hasHost = found?.[2] !== undefined && found[2] !== "";
  const isOpaque = found !== null && found[2] === undefined && !found[3]!.startsWith("/");
  if (found === null || isOpaque || port.length > 5 || (hasHost && !HOST.test(host))) {
    throw new Error(`a URL that can't be taken apart: ${text}`);
  }
  const [, protocol, authority, path, query, ref] = found;
  return {
    ...{
      PROTOCOL: protocol!,
      AUTHORITY: hasHost ? authority! : null,
      USERINFO: user ?? null,
      HOST: hasHost ? host : null,
    },
    ...{ PATH: path!, QUERY: query ?? null, FILE: query === undefined ? path! : `${path}?${query}`, REF: ref ?? null },
  };
}

function parseUrl(text: string, part: string): string | null {
  const url = urlOf(text);
  return Object.hasOwn(url, part) ? url[part as keyof Url] : null;
}

function queryValue(text: string, key: string): string | null {
  const { QUERY } = urlOf(text);
  const pair = QUERY?.split("&").find((one) => one.startsWith(`${key}=`));
  return pair === undefined ? null : pair.slice(key.length + 1);
}

export const URLS: Readonly<Record<string, OwnFunction>> = {
  parse_url: { takes: ["text", "text"], gives: "text", of: parseUrl },
  url_query: { takes: ["text", "text"], gives: "text", of: queryValue },
};

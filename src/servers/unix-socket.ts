/** What the length of a unix socket's path may be, apart from the code that opens one, so that nodes can check it without native code. */

/** Longest path of a unix socket in bytes, its closing NUL not counted (unix(7): sun_path has 108). */
export const MAX_SOCKET_PATH = 107;

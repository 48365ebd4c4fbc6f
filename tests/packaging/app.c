/* A program by somebody who has only what was installed: a server starts, upgrades a peer, and ends. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wsgate.h>

static const char request[] =
  "GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

int main(void) {
  uint32_t endpoint;
  char answer[16] = "";
  size_t length = 0;
  struct sockaddr_in address;
  wsgate_server *server = wsgate_server_new();

  if (wsgate_abi_version() != WSGATE_ABI_VERSION ||
      wsgate_server_listen(server, "127.0.0.1:0", 11) != WSGATE_STATUS_OK ||
      wsgate_server_add_endpoint(server, "/chat", 5, &endpoint) != WSGATE_STATUS_OK ||
      wsgate_server_start(server) != WSGATE_STATUS_OK) {
    fprintf(stderr, "app: %s\n", wsgate_last_error());
    return 1;
  }

  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)wsgate_server_port(server, 0));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int peer = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0 ||
      send(peer, request, sizeof request - 1, 0) != (ssize_t)sizeof request - 1) {
    perror("app");
    return 1;
  }
  while (length < 12) {
    ssize_t got = recv(peer, answer + length, 12 - length, 0);
    if (got <= 0)
      break;
    length += (size_t)got;
  }
  close(peer);
  wsgate_server_free(server);
  printf("wsgate %s: %s\n", wsgate_version(), answer);
  return strcmp(answer, "HTTP/1.1 101") != 0;
}

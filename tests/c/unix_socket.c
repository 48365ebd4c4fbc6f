/* A server listens on a Unix socket with the mode that was set, in place of a dead server's file, and on a descriptor
 * that the process was given; it removes its file, and leaves the descriptor's address alone. */
#define _DEFAULT_SOURCE
#include "http.h"

#include <sys/stat.h>
#include <sys/un.h>

static int unix_socket(const char *path, int listens) {
  struct sockaddr_un address;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  CHECK(fd >= 0);
  if (listens)
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0);
  else
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

int main(void) {
  char path[64], text[80], header[128];
  struct stat meta;
  uint32_t endpoint;
  snprintf(path, sizeof path, "/tmp/wsgate-c-%ld.sock", (long)getpid());
  snprintf(text, sizeof text, "unix:%s", path);
  close(unix_socket(path, 1)); /* a dead server's file */

  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_endpoint_set_acceptor(server, endpoint, 1));
  CHECK_OK(wsgate_server_listen(server, text, strlen(text)));
  CHECK_OK(wsgate_server_set_unix_mode(server, 0600));
  int given = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in any;
  memset(&any, 0, sizeof any);
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(given, (struct sockaddr *)&any, sizeof any) == 0 && listen(given, 8) == 0);
  snprintf(header, sizeof header, "fd:%d", given);
  CHECK_OK(wsgate_server_listen(server, header, strlen(header)));
  start(server);
  CHECK(stat(path, &meta) == 0 && S_ISSOCK(meta.st_mode) && (meta.st_mode & 0777) == 0600);
  CHECK_ERROR(WSGATE_STATUS_INVALID, "no port", wsgate_server_port(server, 1));
  int given_port = wsgate_server_port(server, 2);
  CHECK(given_port > 0);

  wsgate_server *second = wsgate_server_new();
  CHECK_OK(wsgate_server_listen(second, text, strlen(text)));
  CHECK_STATUS(WSGATE_STATUS_BUSY, wsgate_server_start(second));
  CHECK_OK(wsgate_server_free(second));

  int clients[2] = {unix_socket(path, 0), connect_to(given_port, 0)};
  for (int i = 0; i < 2; i++) {
    struct answer answer;
    ask_upgrade(clients[i], "/", "");
    wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_HANDSHAKE);
    if (i == 0) {
      uint32_t head[8];
      memcpy(head, event.data, sizeof head);
      const char *peer = (const char *)event.data + sizeof head + 8 * (size_t)head[0] + head[1] + head[2];
      CHECK(head[3] == 5 && memcmp(peer, "unix:", 5) == 0);
      CHECK(head[4] == strlen(text) && memcmp(peer + 5, text, head[4]) == 0);
    }
    CHECK_OK(wsgate_accept(server, event.client, NULL, 0, NULL, 0, 0, 0));
    CHECK_OK(wsgate_client_send_text(server, event.client, "welcome", 7));
    read_answer(clients[i], &answer);
    CHECK(answer.status == 101);
    EXPECT_TEXT(clients[i], "welcome");
    take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
    send_text(clients[i], "hello");
    event = take(server, batch, WSGATE_EVENT_KIND_MESSAGE);
    CHECK(event_is(&event, "hello"));
    close_client(clients[i]);
    take(server, batch, WSGATE_EVENT_KIND_CLOSE);
  }
  CHECK_OK(wsgate_server_free(server));
  CHECK(stat(path, &meta) != 0 && errno == ENOENT);
  close(connect_to(given_port, 0)); /* it listens still: it is the caller's */
  close(given);
  wsgate_batch_free(batch);
  return 0;
}

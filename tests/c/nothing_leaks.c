/* A hundred servers leave no thread, no descriptor and no memory behind. */
#include "check.h"

#include <dirent.h>
#include <malloc.h>

static int entries(const char *path) {
  int count = 0;
  DIR *directory = opendir(path);
  CHECK(directory != NULL);
  while (readdir(directory) != NULL)
    count++;
  closedir(directory);
  return count;
}

/* A joined thread may still be listed for a moment, until the kernel has taken it apart. */
static int threads_fall_to(int expected) {
  for (int i = 0; i < 1000 * PATIENCE_S && entries("/proc/self/task") > expected; i++)
    poll(NULL, 0, 1);
  return entries("/proc/self/task") == expected;
}

static void one_life(void) {
  uint32_t endpoint;
  uint64_t gateway;
  wsgate_server *server = new_server(&endpoint);
  wsgate_batch *batch = wsgate_batch_new();
  CHECK_OK(wsgate_gateway_new(server, &gateway));
  CHECK_OK(wsgate_endpoint_set_gateway(server, endpoint, gateway));
  int port = start(server);
  CHECK(wsgate_server_fd(server) >= 0);

  int polite = open_client(port);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  int silent = open_client(port);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  CHECK_OK(wsgate_gateway_broadcast_text(server, gateway, "hello", 5, NULL, 0));
  EXPECT_TEXT(polite, "hello");
  send_text(silent, "never taken");
  close_client(polite);

  CHECK_OK(wsgate_server_stop(server, 0));
  CHECK_OK(wsgate_server_free(server));
  wsgate_batch_free(batch);
  close(silent);
}

int main(void) {
  for (int i = 0; i < 10; i++)
    one_life();
  int descriptors = entries("/proc/self/fd");
  size_t memory = mallinfo2().uordblks;

  for (int i = 0; i < 100; i++)
    one_life();
  CHECK(threads_fall_to(3)); /* ".", ".." and the main thread */
  CHECK(entries("/proc/self/fd") == descriptors);
  /* Some is the allocator's own play; a single server's leak would be a hundredfold. */
  CHECK(mallinfo2().uordblks < memory + 64 * 1024);
  return 0;
}

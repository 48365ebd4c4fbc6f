/* dlclose() with a live server leaves the library where it is (-z nodelete): the threads go on. This program is not
 * linked with the library, so nothing else holds it. */
#include "check.h"

#include <dlfcn.h>

/* ISO C knows no conversion from dlsym()'s void * to a function; POSIX defines this one. */
#define LOAD(function) (*(void **)&function = symbol(library, "wsgate_" #function))

static wsgate_server *(*server_new)(void);
static wsgate_status (*server_listen)(wsgate_server *server, const char *address, size_t length);
static wsgate_status (*server_add_endpoint)(wsgate_server *server, const char *path, size_t length, uint32_t *endpoint);
static wsgate_status (*server_on_message)(wsgate_server *server, wsgate_event_fn fn, void *user_data,
                                          wsgate_free_fn free_user_data);
static wsgate_status (*server_start)(wsgate_server *server);
static int32_t (*server_port)(wsgate_server *server, uint32_t index);
static wsgate_status (*server_free)(wsgate_server *server);
static wsgate_status (*client_send_text)(wsgate_server *server, uint64_t client, const void *data, size_t length);

/* check.h's own messages need these two; there is no library to ask. */
const char *wsgate_last_error(void) { return ""; }
const char *wsgate_status_text(int32_t status) { return status == 0 ? "OK" : "an error"; }

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  CHECK(found != NULL);
  return found;
}

static void on_message(wsgate_server *server, const wsgate_event *event, void *user_data) {
  (void)user_data;
  client_send_text(server, event->client, event->data, event->length);
}

static int is_loaded(void) {
  void *library = dlopen("libwsgate.so.0", RTLD_NOW | RTLD_NOLOAD);
  return library != NULL && dlclose(library) == 0;
}

static void load_use_and_drop(int and_free) {
  uint32_t endpoint;
  void *library = dlopen("libwsgate.so.0", RTLD_NOW);
  CHECK(library != NULL);
  LOAD(server_new);
  LOAD(server_listen);
  LOAD(server_add_endpoint);
  LOAD(server_on_message);
  LOAD(server_start);
  LOAD(server_port);
  LOAD(server_free);
  LOAD(client_send_text);

  wsgate_server *server = server_new();
  CHECK_OK(server_listen(server, "127.0.0.1:0", 11));
  CHECK_OK(server_add_endpoint(server, "/", 1, &endpoint));
  CHECK_OK(server_on_message(server, on_message, NULL, NULL));
  CHECK_OK(server_start(server));
  int client = open_client(server_port(server, 0));
  send_text(client, "before");
  EXPECT_TEXT(client, "before");

  CHECK(dlclose(library) == 0);
  send_text(client, "after");
  EXPECT_TEXT(client, "after");
  if (and_free)
    CHECK_OK(server_free(server));
  close(client);
}

/* On a thread that ends, because destructors of thread-locals alone would hold the library until then. */
static void *on_a_thread(void *nothing) {
  load_use_and_drop(1);
  return nothing;
}

int main(void) {
  pthread_t thread;
  CHECK(!is_loaded()); /* or this test would prove nothing */
  CHECK(pthread_create(&thread, NULL, on_a_thread, NULL) == 0);
  pthread_join(thread, NULL);
  CHECK(is_loaded()); /* this look's own dlclose() is the one that would unload it */
  CHECK(is_loaded());
  for (int i = 0; i < 20; i++)
    load_use_and_drop(i % 4 != 0); /* some servers go on, and the next is beside them */
  return 0;
}

/* REQUEST and wsgate_respond: now, from another thread, by submit, in order on one connection; HEAD; refusals. */
#include "records.h"

#include "http.h"

static wsgate_server *server;
static wsgate_batch *batch;

struct job {
  uint64_t request;
};

static void *respond_elsewhere(void *job) {
  static const char headers[] = "Content-Type\0text/plain";
  CHECK_OK(wsgate_respond(server, ((struct job *)job)->request, 201, headers, sizeof headers, "elsewhere", 9));
  return NULL;
}

static uint64_t take_request(uint32_t flags, uint32_t code) {
  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_REQUEST);
  CHECK(event.flags == flags && event.code == code);
  return event.client;
}

static void ask(int client, const char *text) { write_all(client, text, strlen(text)); }

static void handler(void) {
  uint32_t endpoint;
  struct answer answer;
  pthread_t thread;
  server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_requests(server, 1));
  int port = start(server), client = connect_to(port, 0);

  ask(client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
              "HEAD /c HTTP/1.1\r\nHost: x\r\n\r\n");
  struct job job = {take_request(0, 0)};
  CHECK(pthread_create(&thread, NULL, respond_elsewhere, &job) == 0);
  read_answer(client, &answer);
  pthread_join(thread, NULL);
  CHECK(answer.status == 201 && strcmp(answer.body, "elsewhere") == 0);
  CHECK(strstr(answer.head, "content-type: text/plain\r\n") != NULL);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_respond(server, job.request, 200, NULL, 0, NULL, 0));

  wsgate_event event = take(server, batch, WSGATE_EVENT_KIND_REQUEST);
  CHECK(event.length > 2 && memcmp((const char *)event.data + event.length - 2, "hi", 2) == 0);
  struct records records = {0};
  int32_t statuses[3];
  wsgate_record *record = add_record(&records, WSGATE_OP_RESPOND, event.client, NULL, 0, "submitted");
  record->flags = 200;
  add_record(&records, WSGATE_OP_RESPOND, event.client, NULL, 0, "again")->flags = 200;
  record = add_record(&records, WSGATE_OP_RESPOND, event.client, NULL, 0, "too short");
  record->flags = 200;
  record->ticket = 10;
  CHECK(submit(server, &records, statuses, 3) == 1);
  CHECK(statuses[0] == WSGATE_STATUS_OK && statuses[1] == WSGATE_STATUS_CLOSED);
  CHECK(statuses[2] == WSGATE_STATUS_INVALID);
  expect_answer(client, 200, "submitted");

  CHECK_OK(wsgate_respond(server, take_request(0, 0), 404, NULL, 0, "counted only", 12));
  char head[512];
  read_answer_head(client, head, sizeof head);
  CHECK(strstr(head, " 404 ") != NULL && strstr(head, "content-length: 12\r\n") != NULL);
  ask(client, "GET /d HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_OK(wsgate_respond(server, take_request(0, 0), 204, NULL, 0, NULL, 0));
  expect_answer(client, 204, "");

  /* A client of an endpoint is none of these. */
  int other = open_client(port);
  take(server, batch, WSGATE_EVENT_KIND_ACCEPT);
  close(other);
  take(server, batch, WSGATE_EVENT_KIND_CLOSE);

  ask(client, "GET /e HTTP/1.1\r\nHost: x\r\n\r\n");
  uint64_t request = take_request(0, 0);
  CHECK_OK(wsgate_server_stop(server, 0));
  take(server, batch, WSGATE_EVENT_KIND_STOPPED);
  CHECK_STATUS(WSGATE_STATUS_CLOSED, wsgate_respond(server, request, 200, NULL, 0, NULL, 0));
  expect_answer(client, 503, "The server is not able to answer now");
  close(client);
  CHECK_OK(wsgate_server_free(server));
}

/* The application words what is refused; what the status demands stands in it all the same. */
static void error_pages(void) {
  static const char html[] = "Content-Type\0text/html";
  uint32_t endpoint;
  struct answer answer;
  server = new_server(&endpoint);
  CHECK_OK(wsgate_server_set_error_pages(server, 10000));
  int port = start(server), client = connect_to(port, 0);
  ask(client, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_OK(wsgate_respond(server, take_request(WSGATE_EVENT_FLAG_REFUSED, 404), 404, html, sizeof html, "<p>no", 5));
  read_answer(client, &answer);
  CHECK(answer.status == 404 && strcmp(answer.body, "<p>no") == 0 && strstr(answer.head, "text/html"));
  ask(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_OK(wsgate_respond(server, take_request(WSGATE_EVENT_FLAG_REFUSED, 426), 426, NULL, 0, "<p>up", 5));
  read_answer(client, &answer);
  CHECK(answer.status == 426 && strstr(answer.head, "upgrade: websocket\r\n") != NULL);
  close(client);
  CHECK_OK(wsgate_server_free(server));
}

int main(void) {
  batch = wsgate_batch_new();
  handler();
  error_pages();
  wsgate_batch_free(batch);
  return 0;
}

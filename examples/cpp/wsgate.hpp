// What an application in C++17 might put around wsgate.h: a server that frees itself, functions as callbacks, and
// failures as exceptions. An example to start from, and no part of the library: it covers what echo.cpp needs.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <wsgate.h>

namespace wsgate {

/// What a call answered that failed.
class error : public std::runtime_error {
public:
  error(int status, const std::string &text) : std::runtime_error(text), status_(status) {}
  int status() const noexcept { return status_; }

private:
  int status_;
};

/// Throws what is not good, and passes on what was counted.
inline int check(int status) {
  if (status < 0)
    throw error(status, wsgate_last_error());
  return status;
}

/// Borrowed from the library for the time of a callback.
class event {
public:
  explicit event(const wsgate_event &record) noexcept : record_(record) {}
  std::uint64_t client() const noexcept { return record_.client; }
  bool binary() const noexcept { return (record_.flags & WSGATE_EVENT_FLAG_BINARY) != 0; }
  std::uint32_t kind() const noexcept { return record_.kind; }
  std::uint32_t code() const noexcept { return record_.code; }
  std::string_view data() const noexcept { return {static_cast<const char *>(record_.data), record_.length}; }

private:
  const wsgate_event &record_;
};

class server {
public:
  using handler = std::function<void(server &, const event &)>;

  server() : handle_(wsgate_server_new()) {
    if (!handle_)
      throw std::bad_alloc();
  }
  // Callbacks point to it: it stays where it is.
  server(const server &) = delete;
  server &operator=(const server &) = delete;

  void listen(std::string_view address) { check(wsgate_server_listen(get(), address.data(), address.size())); }

  std::uint32_t add_endpoint(std::string_view path) {
    std::uint32_t endpoint;
    check(wsgate_server_add_endpoint(get(), path.data(), path.size(), &endpoint));
    return endpoint;
  }

  // Handlers run on the library's threads, for several clients at once.
  void on_accept(handler call) { set(wsgate_server_on_accept, std::move(call)); }
  void on_message(handler call) { set(wsgate_server_on_message, std::move(call)); }
  void on_close(handler call) { set(wsgate_server_on_close, std::move(call)); }
  void on_event(handler call) { set(wsgate_server_on_event, std::move(call)); }

  void start() { check(wsgate_server_start(get())); }
  void stop(std::uint64_t grace_ms) { check(wsgate_server_stop(get(), grace_ms)); }
  int port(std::uint32_t index = 0) { return check(wsgate_server_port(get(), index)); }

  // These tell how it went: that a client has gone, or does not read, is no exception.
  wsgate_status send(std::uint64_t client, std::string_view data, bool binary) noexcept {
    return (binary ? wsgate_client_send_binary : wsgate_client_send_text)(get(), client, data.data(), data.size());
  }
  wsgate_status close(std::uint64_t client, std::uint32_t code, std::string_view reason) noexcept {
    return wsgate_client_close(get(), client, code, reason.data(), reason.size());
  }

  wsgate_server *get() const noexcept { return handle_.get(); }

private:
  struct bound {
    server *self;
    handler call;
  };
  using setter = wsgate_status (*)(wsgate_server *, wsgate_event_fn, void *, wsgate_free_fn);

  void set(setter set_callback, handler call) {
    auto data = std::make_unique<bound>(bound{this, std::move(call)});
    check(set_callback(get(), invoke, data.get(), drop));
    data.release(); // the library's, which gives it to drop() after the last callback
  }

  // An exception must not pass through the library: the client that caused it is closed.
  static void invoke(wsgate_server *, const wsgate_event *record, void *user_data) {
    auto &data = *static_cast<bound *>(user_data);
    try {
      data.call(*data.self, event(*record));
    } catch (...) {
      data.self->close(record->client, 1011, "Internal error");
    }
  }
  static void drop(void *user_data) { delete static_cast<bound *>(user_data); }

  struct freeing {
    void operator()(wsgate_server *handle) const noexcept { wsgate_server_free(handle); }
  };
  std::unique_ptr<wsgate_server, freeing> handle_;
};

} // namespace wsgate

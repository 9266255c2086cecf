#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace symbolon::virtual_card {

/// Where commands come from, a line each: a Unix socket, or a port of 127.0.0.1. Not for several threads: the owner
/// polls `descriptors()`.
class Control {
public:
    /// `where`: a port number, or a path. Fails with configuration_invalid.
    static Result<Control> listen(std::string const& where);

    Control(Control&& other) noexcept;
    Control& operator=(Control&&) = delete;
    ~Control();

    /// To be polled for reading.
    [[nodiscard]] std::vector<int> descriptors() const;

    struct Line {
        int client = 0;
        std::string text;
    };
    /// What came in on a descriptor that can be read: a new client (no lines), or lines of one.
    std::vector<Line> readable(int descriptor);

    /// A line to a client. One that has gone, or does not read, is dropped.
    void answer(int client, std::string_view text);

private:
    struct Client {
        int descriptor;
        std::string buffer;
    };

    Control(int listener, std::filesystem::path path) : listener_{listener}, path_{std::move(path)} {}
    void drop(int client);

    int listener_;
    std::filesystem::path path_; ///< empty: a port
    std::vector<Client> clients_;
};

} // namespace symbolon::virtual_card

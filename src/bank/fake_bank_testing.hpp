#pragma once

#include "bank/banks.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>

namespace symbolon::bank::testing {

class SetClock final : public ports::Clock {
public:
    [[nodiscard]] Instant now() const override { return at; }
    Instant at = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + 11h;
};

/// Everything that was logged, as one text.
class KeptLog final : public ports::Log {
public:
    void event(std::string_view name, Fields fields) override { keep(name, "", fields); }
    void failure(std::string_view name, Failure const& failure, Fields fields) override
    {
        keep(name, std::string{name_of(failure.outcome)} + ' ' + failure.detail, fields);
    }
    std::string text;

private:
    void keep(std::string_view name, std::string const& what, Fields const& fields)
    {
        text += std::string{name} + ' ' + what;
        for (auto const& [key, value] : fields) text += ' ' + std::string{key} + '=' + value;
        text += '\n';
    }
};

/// A bank's OpenID Provider, as strict as one should be, with ways to be less so. What it says of a person is
/// `claims`.
class FakeBank {
public:
    FakeBank(std::string issuer, std::vector<crypto::VerificationKey> clients, SetClock const& clock,
             crypto::Random& random);

    /// The holder has shown who they are: what the browser brings back of that pushed request.
    ports::BankReturn approve(std::string const& url);

    Answer answer(std::string const& method, std::string const& path, http::Parameters const& form);

    std::string issuer;
    json::Object claims;
    crypto::SigningKey key;
    std::vector<crypto::SigningKey> published; ///< what its JWK Set has
    std::optional<crypto::EncryptionKey> encrypts_to;

    // How it is, where it is not as it should be.
    std::function<void(json::Object&)> in_metadata = [](json::Object&) {};
    std::function<void(json::Object&)> in_claims = [](json::Object&) {};
    std::function<std::string(std::string)> in_token = [](std::string token) { return token; };
    std::function<void(Answer&)> in_answer = [](Answer&) {}; ///< to /token
    std::function<void(Answer&)> everywhere = [](Answer&) {};
    std::map<std::string, int> asked; ///< by path
    std::vector<http::Parameters> pushed;

private:
    struct Code {
        http::Parameters request;
        bool used = false;
    };
    bool knows_client(http::Parameters const& form);
    Answer par(http::Parameters const& form);
    Answer token(http::Parameters const& form);

    std::vector<crypto::VerificationKey> clients_;
    SetClock const& clock_;
    crypto::Random& random_;
    std::set<std::string> assertions_;
    std::map<std::string, http::Parameters> requests_;
    std::map<std::string, Code> codes_;
};

/// The way to several banks.
class FakeNetwork final : public Fetcher {
public:
    Flow<Answer> get(std::string url) override { co_return co_await ask("GET", std::move(url), {}); }
    Flow<Answer> post(std::string url, http::Parameters form) override
    {
        co_return co_await ask("POST", std::move(url), std::move(form));
    }

    std::vector<FakeBank*> banks;
    int refuses = 0; ///< so many of the next connections
    int breaks = 0;  ///< so many of the next answers
    int sent = 0;

private:
    Flow<Answer> ask(std::string method, std::string url, http::Parameters form);
};

} // namespace symbolon::bank::testing

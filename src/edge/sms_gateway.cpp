#include "edge/sms_gateway.hpp"

#include "base/http.hpp"

#include <unicode/utf8.h>

#include <array>

namespace symbolon::edge {

namespace {

// 3GPP TS 23.038 §6.2.1: the GSM 7 bit default alphabet, and what stands behind an escape.
constexpr std::u32string_view basic_alphabet =
    U"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    U"abcdefghijklmnopqrstuvwxyzäöñüà";
constexpr std::u32string_view extended_alphabet = U"\f^{}\\[~]|€";

constexpr std::array pauses{500ms, 2000ms};

// Kannel User Guide, "Delivery reports": delivered 1, not delivered 2, queued 4, handed on 8, refused 16.
constexpr int every_report = 31;

class Gateway final : public ports::Messages {
public:
    Gateway(HttpClient& client, SmsGatewaySettings settings, ports::Log& log)
        : client_{client},
          settings_{std::move(settings)},
          log_{log}
    {}

    Flow<void> send_sms(ports::Sms sms) override
    {
        auto const form = sms_form(sms.text);
        if (!form || form->units == 0 || form->units > form->most)
            co_return fail(Outcome::sms_not_sent, "a text that doesn't fit one message");
        http::Parameters parameters;
        parameters.add("username", settings_.user);
        parameters.add("password", settings_.password.reveal());
        parameters.add("from", settings_.sender);
        parameters.add("to", sms.to.e164());
        parameters.add("text", std::move(sms.text));
        parameters.add("coding", std::to_string(form->coding));
        parameters.add("charset", "UTF-8");
        if (!settings_.report_url.empty() && !sms.reference.empty()) {
            http::Parameters of_report;
            of_report.add("reference", sms.reference);
            parameters.add("dlr-mask", std::to_string(every_report));
            parameters.add("dlr-url", http::with_parameters(settings_.report_url, of_report) + "&status=%d");
        }
        auto const url = http::with_parameters(settings_.url, parameters);

        for (std::size_t tries = 0;; ++tries) {
            OutgoingRequest request;
            request.url = url;
            request.most_answer_bytes = 4096;
            auto const answer = co_await outcome_of(client_.send(std::move(request)));
            if (answer && (answer->status == 202 || answer->status == 200)) {
                log_.event("sms_accepted", {{"tries", std::to_string(tries + 1)}});
                co_return {};
            }
            bool const may_help =
                answer ? answer->status >= 500 : answer.error().outcome == Outcome::upstream_unreachable;
            auto const why = answer ? "status " + std::to_string(answer->status) : answer.error().detail;
            // It may have been heard: then nobody says that it was not sent.
            bool const is_known = answer || answer.error().outcome == Outcome::upstream_unreachable;
            auto failure = fail(is_known ? Outcome::sms_not_sent : Outcome::unavailable, "gateway: " + why);
            if (!may_help || tries == pauses.size()) co_return failure;
            log_.failure("sms_tried_again", failure.error(), {});
            co_await pause_for(pauses.at(tries));
        }
    }

private:
    HttpClient& client_;
    SmsGatewaySettings settings_;
    ports::Log& log_;
};

} // namespace

std::optional<SmsForm> sms_form(std::string_view text)
{
    SmsForm gsm{.coding = 0, .units = 0, .most = 160};
    SmsForm ucs{.coding = 2, .units = 0, .most = 70};
    bool fits_gsm = true;
    auto const* bytes = reinterpret_cast<std::uint8_t const*>(text.data());
    auto const size = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < size;) {
        UChar32 character = 0;
        U8_NEXT(bytes, at, size, character); // NOLINT(bugprone-inc-dec-in-conditions): ICU's macro
        if (character <= 0) return std::nullopt;
        ucs.units += character > 0xffff ? 2 : 1;
        auto const sign = static_cast<char32_t>(character);
        if (basic_alphabet.contains(sign)) gsm.units += 1;
        else if (extended_alphabet.contains(sign)) gsm.units += 2;
        else fits_gsm = false;
    }
    return fits_gsm ? gsm : ucs;
}

std::unique_ptr<ports::Messages> sms_gateway(HttpClient& client, SmsGatewaySettings settings, ports::Log& log)
{
    return std::make_unique<Gateway>(client, std::move(settings), log);
}

} // namespace symbolon::edge

#include "app/symbolon_eid_window.hpp"

#include "action/symbols.hpp"
#include "base/outcome.hpp"
#include "embedded/symbols_svg.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <gtk/gtk.h>
#include <mutex>
#include <thread>

namespace symbolon {

namespace {

using namespace card_reader;

constexpr int window_width = 520;
constexpr int spacing = 14;
constexpr int symbol_size = 56;
constexpr int symbols_in_a_row = 3;
constexpr std::size_t longest_pin = 12;

// ---- the digits of a PIN, in one place that is overwritten

/// What a GtkEntry shows as dots. Only digits come in; they are in `digits` alone, and wiped as soon as they are not
/// needed.
struct PinBuffer {
    GtkEntryBuffer parent;
    std::array<char, longest_pin + 1> digits; ///< ends with a zero
    guint size;
};
struct PinBufferClass {
    GtkEntryBufferClass parent;
};

G_DEFINE_TYPE(PinBuffer, pin_buffer, GTK_TYPE_ENTRY_BUFFER)

PinBuffer* pin_of(gpointer buffer) { return G_TYPE_CHECK_INSTANCE_CAST(buffer, pin_buffer_get_type(), PinBuffer); }

char const* pin_text(GtkEntryBuffer* buffer, gsize* size_bytes)
{
    auto* const pin = pin_of(buffer);
    if (size_bytes != nullptr) *size_bytes = pin->size;
    return pin->digits.data();
}

guint pin_length(GtkEntryBuffer* buffer) { return pin_of(buffer)->size; }

guint pin_insert(GtkEntryBuffer* buffer, guint position, char const* text, guint count)
{
    auto* const pin = pin_of(buffer);
    position = std::min(position, pin->size);
    guint inserted = 0;
    // A PIN is counted in characters here, but only digits come in, and those are one byte each.
    for (; count > 0 && *text != '\0' && pin->size < longest_pin; text = g_utf8_next_char(text), --count) {
        if (*text < '0' || *text > '9') continue;
        auto* const at = pin->digits.data() + position + inserted;
        std::memmove(at + 1, at, pin->size - position - inserted);
        *at = *text;
        pin->digits.at(++pin->size) = '\0';
        ++inserted;
    }
    // A signal copies its text, and what it tells the entry is only how much came.
    std::array<char, longest_pin + 1> hidden{};
    std::fill_n(hidden.begin(), inserted, '*');
    if (inserted > 0) gtk_entry_buffer_emit_inserted_text(buffer, position, hidden.data(), inserted);
    return inserted;
}

guint pin_delete(GtkEntryBuffer* buffer, guint position, guint count)
{
    auto* const pin = pin_of(buffer);
    position = std::min(position, pin->size);
    count = std::min(count, pin->size - position);
    if (count == 0) return 0;
    auto* const at = pin->digits.data() + position;
    std::memmove(at, at + count, pin->size - position - count);
    pin->size -= count;
    wipe(pin->digits.data() + pin->size, pin->digits.size() - pin->size);
    gtk_entry_buffer_emit_deleted_text(buffer, position, count);
    return count;
}

void pin_buffer_finalize(GObject* object)
{
    wipe(pin_of(object)->digits.data(), longest_pin + 1);
    G_OBJECT_CLASS(pin_buffer_parent_class)->finalize(object);
}

void pin_buffer_class_init(PinBufferClass* type)
{
    type->parent.get_text = pin_text;
    type->parent.get_length = pin_length;
    type->parent.insert_text = pin_insert;
    type->parent.delete_text = pin_delete;
    G_OBJECT_CLASS(type)->finalize = pin_buffer_finalize;
}

void pin_buffer_init(PinBuffer* pin)
{
    pin->digits.fill('\0');
    pin->size = 0;
}

// ---- GTK in a few words

/// Connects a signal without arguments of interest to a function that lives as long as the widget.
void when(gpointer widget, char const* signal, std::function<void()> then)
{
    auto const call = +[](GtkWidget*, gpointer then_) { (*static_cast<std::function<void()>*>(then_))(); };
    auto const forget = +[](gpointer then_, GClosure*) { delete static_cast<std::function<void()>*>(then_); };
    g_signal_connect_data(widget, signal, G_CALLBACK(call), new std::function<void()>{std::move(then)}, forget,
                          GConnectFlags{});
}

/// In the main thread, after what it does now.
void on_main_thread(std::function<void()> then)
{
    auto const call = +[](gpointer then_) -> gboolean {
        (*static_cast<std::function<void()>*>(then_))();
        return G_SOURCE_REMOVE;
    };
    auto const forget = +[](gpointer then_) { delete static_cast<std::function<void()>*>(then_); };
    g_idle_add_full(G_PRIORITY_DEFAULT, call, new std::function<void()>{std::move(then)}, forget);
}

GtkContainer* container(GtkWidget* widget) { return GTK_CONTAINER(widget); }

GtkWidget* add(GtkWidget* box, GtkWidget* widget)
{
    gtk_container_add(container(box), widget);
    return widget;
}

void style(GtkWidget* widget, char const* name)
{
    gtk_style_context_add_class(gtk_widget_get_style_context(widget), name);
}

GtkWidget* paragraph(std::string_view text, char const* style_name = nullptr)
{
    auto* const label = gtk_label_new(std::string{text}.c_str());
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 1); // as wide as the page, which decides for all
    gtk_widget_set_hexpand(label, TRUE);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    if (style_name != nullptr) style(label, style_name);
    return label;
}

/// The picture that the page has, too. Null where this computer can't draw it: its name stands beside it.
GtkWidget* picture_of(std::string_view id, GtkWidget* beside)
{
    auto const known = action::all_symbols();
    if (std::ranges::find(known, id) == known.end()) return nullptr;

    GdkRGBA colour;
    gtk_style_context_get_color(gtk_widget_get_style_context(beside), GTK_STATE_FLAG_NORMAL, &colour);
    auto const part = [](double value) { return static_cast<int>(value * 255); };
    auto const scale = gtk_widget_get_scale_factor(beside);
    std::string svg{symbols_svg, sizeof symbols_svg - 1};
    svg.replace(svg.find("<svg"), 4,
                fmt::format("<svg width=\"256\" height=\"256\" viewBox=\"0 0 256 256\" color=\"#{:02x}{:02x}{:02x}\"",
                            part(colour.red), part(colour.green), part(colour.blue)));
    svg.replace(svg.rfind("</svg>"), std::string::npos,
                fmt::format("<use href=\"#{}\" width=\"256\" height=\"256\"/></svg>", id));

    auto* const loader = gdk_pixbuf_loader_new();
    gdk_pixbuf_loader_set_size(loader, symbol_size * scale, symbol_size * scale);
    auto const loaded =
        gdk_pixbuf_loader_write(loader, reinterpret_cast<guchar const*>(svg.data()), svg.size(), nullptr);
    auto const closed = gdk_pixbuf_loader_close(loader, nullptr);
    GtkWidget* picture = nullptr;
    if (loaded != FALSE && closed != FALSE) {
        auto* const surface =
            gdk_cairo_surface_create_from_pixbuf(gdk_pixbuf_loader_get_pixbuf(loader), scale, nullptr);
        picture = gtk_image_new_from_surface(surface);
        cairo_surface_destroy(surface);
    }
    g_object_unref(loader);
    return picture;
}

constexpr char style_sheet[] = ".symbolon-head { font-size: 125%; font-weight: bold; }"
                               ".symbolon-fact { font-weight: bold; }"
                               ".symbolon-complaint { font-weight: bold; color: @error_color; }"
                               ".symbolon-pin { font-size: 150%; }";

/// What the holder did on a page.
struct Answer {
    bool yes = false;
    std::string symbol;
    SecretText pin;
};

} // namespace

struct Window::State {
    Texts const& texts;
    std::atomic<Language> language;
    GtkWidget* window = nullptr;
    GtkWidget* page = nullptr;
    int pages_shown = 0;
    std::string role;      ///< of the page that is shown
    std::string complaint; ///< of the conversation's thread

    mutable std::mutex mutex;
    std::condition_variable changed;
    std::optional<Answer> answer;
    bool has_left = false;
    bool has_ended = false;

    [[nodiscard]] std::string text(std::string_view key) const { return texts.text(language, key); }

    // ---- the main thread

    /// The holder closes the window, or says stop.
    void leave()
    {
        {
            std::scoped_lock const lock{mutex};
            has_left = true;
        }
        changed.notify_all();
        gtk_widget_hide(window);
        quit_when_done();
    }

    /// A card that is busy is left in a state that it likes: the window is gone, the program waits for it.
    void quit_when_done()
    {
        std::scoped_lock const lock{mutex};
        if (has_left && has_ended) gtk_main_quit();
    }

    /// The page goes at once: a second click must not answer the next question.
    void answered(Answer given)
    {
        {
            std::scoped_lock const lock{mutex};
            answer = std::move(given);
        }
        changed.notify_all();
        show_progress({}, text("eid.window.moment"));
    }

    /// An empty page.
    GtkWidget* new_page()
    {
        if (page != nullptr) gtk_widget_destroy(page);
        page = gtk_box_new(GTK_ORIENTATION_VERTICAL, spacing);
        gtk_container_set_border_width(container(page), 2 * spacing);
        gtk_widget_set_size_request(page, window_width, -1);
        gtk_window_set_title(GTK_WINDOW(window), text("eid.window.title").c_str());
        return add(window, page);
    }

    /// The window's role (WM_WINDOW_ROLE) becomes `name`-N once the page is drawn: from outside one can tell the pages
    /// apart, and two of one kind, and keys find them laid out.
    void show_page(char const* name, GtkWidget* focused)
    {
        {
            std::scoped_lock const lock{mutex};
            if (has_left) return;
        }
        gtk_widget_show_all(window);
        if (focused != nullptr) gtk_widget_grab_focus(focused);
        role = fmt::format("{}-{}", name, ++pages_shown);
        auto const drawn = +[](GtkWidget* of, cairo_t*, gpointer self_) -> gboolean {
            auto* const self = static_cast<State*>(self_);
            g_signal_handlers_disconnect_by_data(of, self_);
            gtk_window_set_role(GTK_WINDOW(self->window), self->role.c_str());
            return FALSE;
        };
        g_signal_connect_after(page, "draw", G_CALLBACK(drawn), this);
    }

    GtkWidget* button(GtkWidget* row, std::string_view key, std::function<void()> then) const
    {
        auto* const made = gtk_button_new_with_label(text(key).c_str());
        when(made, "clicked", std::move(then));
        return add(row, made);
    }

    GtkWidget* button_row() const
    {
        auto* const row = gtk_button_box_new(GTK_ORIENTATION_HORIZONTAL);
        gtk_button_box_set_layout(GTK_BUTTON_BOX(row), GTK_BUTTONBOX_END);
        gtk_box_set_spacing(GTK_BOX(row), spacing);
        gtk_box_pack_end(GTK_BOX(page), row, FALSE, FALSE, 0);
        return row;
    }

    GtkWidget* stop_button(GtkWidget* row)
    {
        return button(row, "eid.window.stop", [this] { leave(); });
    }

    void show_complaint(std::string const& complaint_) const
    {
        if (complaint_.empty()) return;
        auto* const label = add(page, paragraph(complaint_, "symbolon-complaint"));
        atk_object_set_role(gtk_widget_get_accessible(label), ATK_ROLE_ALERT);
    }

    void show_progress(std::string const& complaint_, std::string const& what)
    {
        new_page();
        show_complaint(complaint_);
        auto* const row = add(page, gtk_box_new(GTK_ORIENTATION_HORIZONTAL, spacing));
        auto* const spinner = add(row, gtk_spinner_new());
        gtk_spinner_start(GTK_SPINNER(spinner));
        auto* const label = add(row, paragraph(what));
        atk_object_set_role(gtk_widget_get_accessible(label), ATK_ROLE_STATUSBAR); // read out when it comes
        auto* const stop = stop_button(button_row());
        show_page("progress", stop);
    }

    void show_request(Request const& request)
    {
        new_page();
        add(page, paragraph(request.asks, "symbolon-head"));
        add(page, paragraph(request.phone_number, "symbolon-fact"));
        if (!request.email.empty()) add(page, paragraph(request.email, "symbolon-fact"));
        add(page, paragraph(request.warning));
        add(page, paragraph(request.question));
        auto* const row = button_row();
        auto* const stop = stop_button(row);
        button(row, "eid.window.agree", [this] { answered({.yes = true}); });
        show_page("consent", stop); // a key that was meant for the page must not agree
    }

    void show_last_try(std::string const& question, std::string const& complaint_)
    {
        new_page();
        show_complaint(complaint_);
        add(page, paragraph(question, "symbolon-head"));
        auto* const row = button_row();
        auto* const stop = button(row, "eid.window.stop", [this] { answered({}); });
        button(row, "eid.window.go_on", [this] { answered({.yes = true}); });
        show_page("last_try", stop);
    }

    void show_symbols(std::string const& question, std::vector<std::string> const& symbols)
    {
        new_page();
        add(page, paragraph(question, "symbolon-head"));
        auto* const grid = add(page, gtk_grid_new());
        gtk_grid_set_row_spacing(GTK_GRID(grid), spacing);
        gtk_grid_set_column_spacing(GTK_GRID(grid), spacing);
        gtk_grid_set_column_homogeneous(GTK_GRID(grid), TRUE);
        for (int i = 0; auto const& symbol : symbols) {
            auto* const choice = gtk_button_new_with_label(name_of_symbol(symbol, language).c_str());
            gtk_widget_set_hexpand(choice, TRUE);
            gtk_grid_attach(GTK_GRID(grid), choice, i % symbols_in_a_row, i / symbols_in_a_row, 1, 1);
            if (auto* const picture = picture_of(symbol, choice)) {
                gtk_button_set_image(GTK_BUTTON(choice), picture);
                gtk_button_set_image_position(GTK_BUTTON(choice), GTK_POS_TOP);
                gtk_button_set_always_show_image(GTK_BUTTON(choice), TRUE);
            }
            when(choice, "clicked", [this, symbol] { answered({.yes = true, .symbol = symbol}); });
            ++i;
        }
        auto* const row = button_row();
        auto* const stop = stop_button(row);
        button(row, "eid.window.no_symbol", [this] { answered({.yes = true, .symbol = {}}); });
        show_page("symbol", stop);
    }

    void show_pin(std::string const& question, std::string const& complaint_)
    {
        new_page();
        show_complaint(complaint_);
        auto* const label = add(page, paragraph(question, "symbolon-head"));
        auto* const buffer = static_cast<GtkEntryBuffer*>(g_object_new(pin_buffer_get_type(), nullptr));
        auto* const entry = add(page, gtk_entry_new_with_buffer(buffer));
        g_object_unref(buffer); // the entry has it now
        gtk_entry_set_visibility(GTK_ENTRY(entry), FALSE);
        gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_PIN);
        g_object_set(entry, "im-module", "gtk-im-context-simple", nullptr); // no other process sees the keys
        gtk_entry_set_alignment(GTK_ENTRY(entry), 0.5F);
        style(entry, "symbolon-pin");
        gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);

        auto* const row = button_row();
        stop_button(row);
        auto const give = [this, entry] {
            auto* const digits = gtk_entry_get_buffer(GTK_ENTRY(entry));
            auto pin = pin_from_digits({gtk_entry_buffer_get_text(digits), gtk_entry_buffer_get_length(digits)});
            if (!pin) return;
            gtk_entry_buffer_delete_text(digits, 0, -1);
            answered({.yes = true, .symbol = {}, .pin = std::move(*pin)});
        };
        auto* const go_on = button(row, "eid.window.go_on", give);
        gtk_widget_set_sensitive(go_on, FALSE);
        when(entry, "activate", give);
        when(entry, "changed", [entry, go_on] {
            auto* const digits = gtk_entry_get_buffer(GTK_ENTRY(entry));
            gtk_widget_set_sensitive(
                go_on, is_pin({gtk_entry_buffer_get_text(digits), gtk_entry_buffer_get_length(digits)}) ? TRUE : FALSE);
        });
        show_page("pin", entry);
    }

    void show_ending(Ending const& ending)
    {
        {
            std::scoped_lock const lock{mutex};
            has_ended = true;
            answer.reset();
        }
        quit_when_done();
        new_page();
        auto* const label =
            add(page, paragraph(ending.text, ending.exit == Exit::done ? "symbolon-head" : "symbolon-complaint"));
        if (ending.exit != Exit::done) atk_object_set_role(gtk_widget_get_accessible(label), ATK_ROLE_ALERT);
        auto* const close = button(button_row(), "eid.window.close", [this] { leave(); });
        show_page(ending.exit == Exit::done ? "done" : "failed", close);
    }

    // ---- the conversation's thread

    /// Shows a page and waits for what the holder does on it.
    Answer ask(std::function<void()> show)
    {
        std::unique_lock lock{mutex};
        if (has_left) return {};
        answer.reset();
        on_main_thread(std::move(show));
        changed.wait(lock, [this] { return answer || has_left; });
        auto given = has_left ? Answer{} : std::move(*answer);
        answer.reset();
        return given;
    }
};

std::string name_of_symbol(std::string const& id, Language language)
{
    auto const known = action::all_symbols();
    return std::ranges::find(known, id) == known.end() ? id : action::symbol_name(id, language);
}

Window::Window(std::unique_ptr<State> state) : state_{std::move(state)} {}
Window::~Window() { gtk_widget_destroy(state_->window); }

std::unique_ptr<Window> Window::open(Texts const& texts, Language language)
{
    if (gtk_init_check(nullptr, nullptr) == FALSE) return nullptr;
    auto* const css = gtk_css_provider_new();
    gtk_css_provider_load_from_data(css, style_sheet, -1, nullptr);
    gtk_style_context_add_provider_for_screen(gdk_screen_get_default(), GTK_STYLE_PROVIDER(css),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(css);

    auto state = std::make_unique<State>(texts, language);
    auto* const shown = state.get();
    shown->window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_resizable(GTK_WINDOW(shown->window), FALSE);
    gtk_window_set_position(GTK_WINDOW(shown->window), GTK_WIN_POS_CENTER);
    gtk_window_set_icon_name(GTK_WINDOW(shown->window), "symbolon-eid");
    auto const close = +[](GtkWidget*, GdkEvent*, gpointer of) -> gboolean {
        static_cast<State*>(of)->leave();
        return TRUE;
    };
    g_signal_connect(shown->window, "delete-event", G_CALLBACK(close), shown);
    auto const key = +[](GtkWidget*, GdkEventKey* pressed, gpointer of) -> gboolean {
        if (pressed->keyval != GDK_KEY_Escape) return FALSE;
        static_cast<State*>(of)->leave();
        return TRUE;
    };
    g_signal_connect(shown->window, "key-press-event", G_CALLBACK(key), shown);
    return std::unique_ptr<Window>{new Window{std::move(state)}};
}

Ending Window::run(std::function<Ending()> conversation)
{
    Ending ending;
    std::thread thread{[this, &ending, conversation = std::move(conversation)] {
        try {
            ending = conversation();
        } catch (std::exception const&) {
            ending = {Exit::unexpected, state_->text("eid.unexpected"), std::string{name_of(Outcome::internal)}};
        }
        on_main_thread([this, &ending] { state_->show_ending(ending); });
    }};
    gtk_main();
    thread.join();
    return ending;
}

void Window::speak(Language language) { state_->language = language; }

void Window::say(std::string_view text)
{
    on_main_thread([state = state_.get(), text = std::string{text}, complaint = std::exchange(state_->complaint, {})] {
        state->show_progress(complaint, text);
    });
}

void Window::complain(std::string_view text) { state_->complaint = text; }

bool Window::agrees(Request const& request)
{
    return state_->ask([state = state_.get(), request] { state->show_request(request); }).yes;
}

bool Window::risks_last_try(std::string_view question)
{
    return state_
        ->ask([state = state_.get(), question = std::string{question},
               complaint = std::exchange(state_->complaint, {})] { state->show_last_try(question, complaint); })
        .yes;
}

std::optional<std::string> Window::choose_symbol(std::string_view question, std::vector<std::string> const& symbols)
{
    auto answer = state_->ask(
        [state = state_.get(), question = std::string{question}, symbols] { state->show_symbols(question, symbols); });
    if (!answer.yes) return std::nullopt;
    return std::move(answer.symbol);
}

Result<SecretText> Window::type_pin(std::string_view question)
{
    auto answer =
        state_->ask([state = state_.get(), question = std::string{question},
                     complaint = std::exchange(state_->complaint, {})] { state->show_pin(question, complaint); });
    if (!answer.yes) return fail(Outcome::cancelled);
    return std::move(answer.pin);
}

bool Window::is_there() const
{
    std::scoped_lock const lock{state_->mutex};
    return !state_->has_left;
}

} // namespace symbolon

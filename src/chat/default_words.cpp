#include "chat/word_list.hpp"

namespace parley::chat {

namespace {

// Swear words, masked where they are words of their own. Short on purpose: what a community bears
// is for its operator to say (docs/operations.md, "Words").
constexpr std::string_view kEnglish = R"(
fuck*
*fucker*
*motherfuck*
shit
shitty
*bullshit*
asshole*
arsehole*
bitch
bitches
bastard*
cunt*
wanker*
dickhead*
)";
constexpr std::string_view kGerman = R"(
arschloch*
fick dich
hurensohn
fotze
wichser*
scheiße
scheiss
scheiß
)";
constexpr std::string_view kFrench = R"(
connard*
connasse*
enculé*
encule
putain
salope*
)";
constexpr std::string_view kSpanish = R"(
cabrón
cabron
gilipollas
hijo de puta
hija de puta
mierda
)";
constexpr std::string_view kItalian = R"(
cazzo
stronzo
stronza
vaffanculo
)";
constexpr std::string_view kPortuguese = R"(
caralho
filho da puta
foda-se
)";
constexpr std::string_view kPolish = R"(
kurwa
chuj
spierdalaj
)";
constexpr std::string_view kRussian = R"(
блядь
блять
ебать
пизда
пиздец
хуй
)";
constexpr std::string_view kTurkish = R"(
orospu
siktir
)";
constexpr std::string_view kHindi = R"(
चूतिया
भोसड़ी
)";

} // namespace

const std::vector<DefaultWords>& default_words() {
    static const std::vector<DefaultWords> words{
        {"en", kEnglish},    {"de", kGerman}, {"fr", kFrench},  {"es", kSpanish}, {"it", kItalian},
        {"pt", kPortuguese}, {"pl", kPolish}, {"ru", kRussian}, {"tr", kTurkish}, {"hi", kHindi}};
    return words;
}

} // namespace parley::chat

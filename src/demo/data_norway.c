/* data_norway.c - Norway. */
#include "demo/data_country.h"

/* clang-format off */
const med_demo_country med_demo_norway = {
    .id = MED_DEMO_NO, .code = "NO", .prefix = "no", .language = "nb",
    .language_name = "norsk bokmål", .phone = "+47", .zone_minutes = 60,
    .id_kind = MED_NATIONAL_ID_FODSEL, .id_system = "urn:oid:2.16.578.1.12.4.1.4.1",
    .insurer = "Demo folketrygd", .insurer_short = "DF",
    .doctor = "lege",
    .hospital = {"Lindelia sykehus ", ""}, .practice = {"", " legekontor"},
    .pharmacy = {"Apotek ", ""}, .laboratory = {"Medisinsk laboratorium ", ""},
    .given = {
        {{"Arne", "Odd", "Kåre", "Olav", "Leif", "Harald", "Bjørn", "Kjell", "Einar", "Gunnar",
          "Reidar", "Sverre", "Tor", "Knut", "Per", "Asbjørn"},
         {"Jan", "Morten", "Geir", "Terje", "Øyvind", "Trond", "Lars", "Stian", "Espen", "Thomas",
          "Anders", "Frode", "Rune", "Svein", "Kristian", "Eirik"},
         {"Jakob", "Emil", "Noah", "Oskar", "Henrik", "Mathias", "Sander", "Magnus", "Isak", "Aksel",
          "Håkon", "Ludvig", "Sondre", "Theodor", "Sivert", "Birk"}},
        {{"Inger", "Astrid", "Solveig", "Gerd", "Randi", "Ingrid", "Berit", "Turid", "Åse", "Bjørg",
          "Gudrun", "Kari", "Marit", "Liv", "Else", "Aud"},
         {"Anne", "Hilde", "Heidi", "Nina", "Monica", "Camilla", "Marianne", "Silje", "Ellen",
          "Hege", "Linda", "Kristin", "Trine", "Siri", "Line", "Tone"},
         {"Nora", "Emma", "Sofie", "Ingrid", "Thea", "Maja", "Julie", "Sara", "Frida", "Hedda",
          "Amalie", "Tuva", "Vilde", "Iben", "Eline", "Ragnhild"}}},
    .surnames = {
        {"Hansen", "Hansen"}, {"Johansen", "Johansen"}, {"Olsen", "Olsen"}, {"Larsen", "Larsen"},
        {"Andersen", "Andersen"}, {"Pedersen", "Pedersen"}, {"Nilsen", "Nilsen"},
        {"Kristiansen", "Kristiansen"}, {"Jensen", "Jensen"}, {"Karlsen", "Karlsen"},
        {"Berg", "Berg"}, {"Haugen", "Haugen"}, {"Hagen", "Hagen"}, {"Johannessen", "Johannessen"},
        {"Andreassen", "Andreassen"}, {"Jacobsen", "Jacobsen"}, {"Dahl", "Dahl"},
        {"Halvorsen", "Halvorsen"}, {"Jørgensen", "Jørgensen"}, {"Henriksen", "Henriksen"},
        {"Lund", "Lund"}, {"Sørensen", "Sørensen"}, {"Jakobsen", "Jakobsen"}, {"Moen", "Moen"},
        {"Gundersen", "Gundersen"}, {"Iversen", "Iversen"}, {"Strand", "Strand"},
        {"Solberg", "Solberg"}, {"Bakken", "Bakken"}, {"Eide", "Eide"}, {"Lie", "Lie"},
        {"Myhre", "Myhre"}, {"Nygård", "Nygård"}, {"Ødegård", "Ødegård"}, {"Sæther", "Sæther"},
        {"Tveit", "Tveit"}},
    .towns = {
        {"Oslo", "0175", "Oslo", 5992, 1074, 22},
        {"Bergen", "5003", "Vestland", 6039, 532, 12},
        {"Trondheim", "7011", "Trøndelag", 6343, 1039, 9},
        {"Stavanger", "4006", "Rogaland", 5897, 573, 8},
        {"Drammen", "3044", "Buskerud", 5974, 1020, 6},
        {"Kristiansand", "4611", "Agder", 5815, 800, 5},
        {"Tromsø", "9008", "Troms", 6965, 1896, 4},
        {"Lillehammer", "2609", "Innlandet", 6112, 1047, 3}},
    .streets = {
        "Storgata", "Kirkegata", "Skolegata", "Strandgata", "Parkveien", "Bjørkeveien",
        "Fjellveien", "Nygata", "Jernbanegata", "Furuveien", "Granveien", "Skogveien", "Elvegata",
        "Solbakken", "Bakkeveien", "Industrigata", "Lindeveien", "Sjøgata"},
};

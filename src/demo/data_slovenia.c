/* data_slovenia.c - Slovenia. */
#include "demo/data_country.h"

/* clang-format off */
const med_demo_country med_demo_slovenia = {
    .id = MED_DEMO_SI, .code = "SI", .prefix = "si", .language = "sl",
    .language_name = "slovenščina", .phone = "+386", .zone_minutes = 60,
    .id_kind = MED_NATIONAL_ID_EMSO, .id_system = "https://medulla.example/demo/sid/emso",
    .insurer = "Demo zavod za zdravstveno zavarovanje", .insurer_short = "DZZZ",
    .doctor = "dr.",
    .hospital = {"Bolnišnica Lipa ", ""}, .practice = {"Zdravstvena postaja ", ""},
    .pharmacy = {"Lekarna ", ""}, .laboratory = {"Medicinski laboratorij ", ""},
    .given = {
        {{"Franc", "Jože", "Anton", "Janez", "Ivan", "Stanislav", "Marjan", "Alojz", "Milan",
          "Jožef", "Branko", "Vinko", "Drago", "Rudolf", "Martin", "Ciril"},
         {"Andrej", "Marko", "Igor", "Boštjan", "Matjaž", "Tomaž", "Robert", "Aleš", "Gregor",
          "Primož", "Damjan", "Uroš", "Simon", "Mitja", "Peter", "Rok"},
         {"Luka", "Jaka", "Nik", "Žan", "Filip", "Jakob", "Mark", "Tim", "Anže", "Matic", "Nejc",
          "Lovro", "Maks", "Gašper", "Vid", "Tilen"}},
        {{"Marija", "Ana", "Ivana", "Frančiška", "Jožefa", "Terezija", "Angela", "Majda", "Milena",
          "Antonija", "Ljudmila", "Vida", "Slavka", "Danica", "Cvetka", "Zdenka"},
         {"Mojca", "Nataša", "Irena", "Barbara", "Petra", "Tanja", "Andreja", "Simona", "Katja",
          "Maja", "Polona", "Alenka", "Urška", "Helena", "Metka", "Tina"},
         {"Nika", "Lara", "Zala", "Sara", "Ema", "Julija", "Eva", "Neža", "Hana", "Lana", "Zoja",
          "Kaja", "Ajda", "Klara", "Brina", "Manca"}}},
    .surnames = {
        {"Novak", "Novak"}, {"Horvat", "Horvat"}, {"Kovačič", "Kovačič"}, {"Krajnc", "Krajnc"},
        {"Zupančič", "Zupančič"}, {"Potočnik", "Potočnik"}, {"Kovač", "Kovač"}, {"Mlakar", "Mlakar"},
        {"Kos", "Kos"}, {"Vidmar", "Vidmar"}, {"Golob", "Golob"}, {"Turk", "Turk"},
        {"Kralj", "Kralj"}, {"Zupan", "Zupan"}, {"Bizjak", "Bizjak"}, {"Hribar", "Hribar"},
        {"Kotnik", "Kotnik"}, {"Kavčič", "Kavčič"}, {"Rozman", "Rozman"}, {"Kastelic", "Kastelic"},
        {"Oblak", "Oblak"}, {"Žagar", "Žagar"}, {"Hočevar", "Hočevar"}, {"Kolar", "Kolar"},
        {"Košir", "Košir"}, {"Koren", "Koren"}, {"Klemenčič", "Klemenčič"}, {"Zajc", "Zajc"},
        {"Medved", "Medved"}, {"Petek", "Petek"}, {"Pirc", "Pirc"}, {"Lah", "Lah"},
        {"Jereb", "Jereb"}, {"Breznik", "Breznik"}, {"Dolinar", "Dolinar"}, {"Ušaj", "Ušaj"}},
    .towns = {
        {"Ljubljana", "1000", "Osrednjeslovenska", 4605, 1451, 30},
        {"Maribor", "2000", "Podravska", 4655, 1565, 14},
        {"Celje", "3000", "Savinjska", 4623, 1526, 8},
        {"Kranj", "4000", "Gorenjska", 4624, 1436, 8},
        {"Koper", "6000", "Obalno-kraška", 4555, 1373, 7},
        {"Novo mesto", "8000", "Jugovzhodna Slovenija", 4580, 1517, 6},
        {"Nova Gorica", "5000", "Goriška", 4596, 1364, 5},
        {"Murska Sobota", "9000", "Pomurska", 4666, 1617, 4}},
    .streets = {
        "Prešernova ulica", "Cankarjeva ulica", "Slovenska cesta", "Trubarjeva cesta",
        "Gregorčičeva ulica", "Kolodvorska ulica", "Partizanska cesta", "Župančičeva ulica",
        "Vodnikova cesta", "Maistrova ulica", "Šolska ulica", "Cesta na Brdo", "Pod gozdom",
        "Sončna pot", "Vrtna ulica", "Jurčičeva ulica", "Gasilska cesta", "Lipova ulica"},
};

/* data_denmark.c - Denmark. */
#include "demo/data_country.h"

/* clang-format off */
const med_demo_country med_demo_denmark = {
    .id = MED_DEMO_DK, .code = "DK", .prefix = "dk", .language = "da",
    .language_name = "dansk", .phone = "+45", .zone_minutes = 60,
    .id_kind = MED_NATIONAL_ID_CPR, .id_system = "https://medulla.example/demo/sid/cpr",
    .insurer = "Region Demo", .insurer_short = "RD",
    .doctor = "læge",
    .hospital = {"Lindehospitalet ", ""}, .practice = {"Lægehuset ", ""},
    .pharmacy = {"", " Apotek"}, .laboratory = {"Klinisk Laboratorium ", ""},
    .given = {
        {{"Jens", "Poul", "Knud", "Erik", "Hans", "Niels", "Jørgen", "Svend", "Kurt", "Ole", "Bent",
          "Finn", "Carl", "Henning", "Aage", "Børge"},
         {"Peter", "Lars", "Michael", "Henrik", "Thomas", "Søren", "Martin", "Morten", "Jesper",
          "Anders", "Christian", "Rasmus", "Kim", "Brian", "Torben", "Klaus"},
         {"William", "Oliver", "Noah", "Emil", "Victor", "Magnus", "Frederik", "Mikkel", "Lucas",
          "Alfred", "Oscar", "Carl", "Malthe", "Aksel", "Valdemar", "August"}},
        {{"Kirsten", "Inge", "Karen", "Inger", "Birthe", "Grethe", "Ruth", "Else", "Lis", "Bodil",
          "Tove", "Jytte", "Hanne", "Aase", "Ellen", "Gerda"},
         {"Mette", "Anne", "Susanne", "Lone", "Pia", "Tina", "Charlotte", "Louise", "Camilla",
          "Maria", "Trine", "Dorte", "Helle", "Rikke", "Gitte", "Lene"},
         {"Emma", "Ida", "Freja", "Sofia", "Alma", "Clara", "Laura", "Mathilde", "Ella", "Josefine",
          "Agnes", "Karla", "Signe", "Caroline", "Liva", "Asta"}}},
    .surnames = {
        {"Nielsen", "Nielsen"}, {"Jensen", "Jensen"}, {"Hansen", "Hansen"}, {"Andersen", "Andersen"},
        {"Pedersen", "Pedersen"}, {"Christensen", "Christensen"}, {"Larsen", "Larsen"},
        {"Sørensen", "Sørensen"}, {"Rasmussen", "Rasmussen"}, {"Jørgensen", "Jørgensen"},
        {"Petersen", "Petersen"}, {"Madsen", "Madsen"}, {"Kristensen", "Kristensen"},
        {"Olsen", "Olsen"}, {"Thomsen", "Thomsen"}, {"Christiansen", "Christiansen"},
        {"Poulsen", "Poulsen"}, {"Johansen", "Johansen"}, {"Møller", "Møller"},
        {"Mortensen", "Mortensen"}, {"Knudsen", "Knudsen"}, {"Jacobsen", "Jacobsen"},
        {"Frederiksen", "Frederiksen"}, {"Lund", "Lund"}, {"Holm", "Holm"}, {"Schmidt", "Schmidt"},
        {"Eriksen", "Eriksen"}, {"Kjær", "Kjær"}, {"Clausen", "Clausen"}, {"Simonsen", "Simonsen"},
        {"Svendsen", "Svendsen"}, {"Iversen", "Iversen"}, {"Østergaard", "Østergaard"},
        {"Bach", "Bach"}, {"Dahl", "Dahl"}, {"Nørgaard", "Nørgaard"}},
    .towns = {
        {"København N", "2200", "Region Hovedstaden", 5570, 1255, 22},
        {"Aarhus C", "8000", "Region Midtjylland", 5616, 1020, 14},
        {"Odense C", "5000", "Region Syddanmark", 5540, 1039, 9},
        {"Aalborg", "9000", "Region Nordjylland", 5705, 992, 8},
        {"Esbjerg", "6700", "Region Syddanmark", 5547, 845, 5},
        {"Randers C", "8900", "Region Midtjylland", 5646, 1004, 4},
        {"Roskilde", "4000", "Region Sjælland", 5564, 1208, 5},
        {"Næstved", "4700", "Region Sjælland", 5523, 1176, 4}},
    .streets = {
        "Nørregade", "Vestergade", "Østergade", "Søndergade", "Skolegade", "Kirkevej", "Møllevej",
        "Stationsvej", "Bøgevej", "Birkevej", "Parkvej", "Strandvejen", "Engvej", "Lindevej",
        "Algade", "Jernbanegade", "Skovvej", "Rosenvej"},
};
